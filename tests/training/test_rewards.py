from __future__ import annotations

import pytest

from prorank_training.rewards import correctness_reward, format_reward, graded_format_reward


@pytest.mark.parametrize(
    ("completion", "judgment", "format_", "graded", "correctness"),
    [
        ("1", "1", 1.0, 1.0, 1.0),
        ("0", "0", 1.0, 1.0, 1.0),
        ("1", "0", 1.0, 1.0, 0.0),
        ("0", "1", 1.0, 1.0, 0.0),
        ("1.", "1", 0.0, 0.5, 0.0),
        ("10", "1", 0.0, 0.5, 0.0),
        (" 1", "1", 0.0, 0.0, 0.0),
        ("1\n", "1", 0.0, 0.5, 0.0),
        ("2", "1", 0.0, 0.0, 0.0),
        ("", "0", 0.0, 0.0, 0.0),
        ("one", "1", 0.0, 0.0, 0.0),
    ],
)
def test_a_completion_earns_for_its_form_and_for_being_right_apart(
    completion: str, judgment: str, format_: float, graded: float, correctness: float
) -> None:
    assert format_reward([completion], judgment=[judgment]) == [format_]
    assert graded_format_reward([completion], judgment=[judgment]) == [graded]
    assert correctness_reward([completion], judgment=[judgment]) == [correctness]


def test_rewards_of_many_completions_keep_their_order() -> None:
    assert correctness_reward(["1", "0", "1"], judgment=["1", "1", "0"]) == [1.0, 0.0, 0.0]
    assert format_reward(["1", "no", "0"]) == [1.0, 0.0, 1.0]
