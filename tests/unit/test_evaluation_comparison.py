from __future__ import annotations

import random

import pytest

from prorank_search.errors import InputError
from prorank_search.evaluation.comparison import compare_runs, holm

BEFORE = {str(query): random.Random(query).random() for query in range(40)}
AFTER = {query: min(1.0, value + random.Random(query).uniform(-0.2, 0.3)) for query, value in BEFORE.items()}


def test_wins_ties_and_losses_are_counted_by_query() -> None:
    comparison = compare_runs({"a": 0.1, "b": 0.5, "c": 0.5, "d": 1.0}, {"a": 0.2, "b": 0.6, "c": 0.5, "d": 0.0})
    assert (comparison.wins, comparison.ties, comparison.losses) == (2, 1, 1)
    assert comparison.delta == pytest.approx(-0.2)


def test_rounding_makes_no_winner() -> None:
    assert compare_runs({"a": 0.3}, {"a": 0.1 + 0.2}).ties == 1


def test_the_test_does_not_care_which_run_comes_first() -> None:
    forth, back = compare_runs(BEFORE, AFTER), compare_runs(AFTER, BEFORE)
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.delta == pytest.approx(-back.delta)


def test_few_queries_are_tested_exactly() -> None:
    before = dict.fromkeys("abcde", 0.0)
    assert compare_runs(before, dict.fromkeys("abcde", 0.5)).p_value == 2 / 2**5


def test_equal_runs_are_no_find() -> None:
    comparison = compare_runs(BEFORE, BEFORE)
    assert (comparison.p_value, comparison.ci95) == (1.0, (0.0, 0.0))


def test_a_difference_everywhere_is_a_find() -> None:
    comparison = compare_runs(BEFORE, {query: value + 0.1 for query, value in BEFORE.items()})
    assert comparison.p_value < 0.001


def test_the_interval_holds_the_difference() -> None:
    comparison = compare_runs(BEFORE, AFTER)
    low, high = comparison.ci95
    assert low < comparison.delta < high


def test_the_same_seed_gives_the_same_answer() -> None:
    assert compare_runs(BEFORE, AFTER, seed=3) == compare_runs(BEFORE, AFTER, seed=3)


def test_one_query_can_be_compared() -> None:
    comparison = compare_runs({"a": 0.0}, {"a": 1.0})
    assert (comparison.p_value, comparison.ci95) == (1.0, (1.0, 1.0))


@pytest.mark.parametrize("after", [{}, {"b": 1.0}])
def test_other_queries_cannot_be_compared(after: dict[str, float]) -> None:
    with pytest.raises(InputError, match="over the same queries"):
        compare_runs({"a": 0.0}, after)


def test_holm_never_ranks_a_larger_p_value_first() -> None:
    assert holm({"a": 0.02, "b": 0.021, "c": 0.9}) == pytest.approx({"a": 0.06, "b": 0.06, "c": 0.9})


def test_holm_stays_a_probability() -> None:
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}


def test_many_queries_are_tested_as_scipy_does() -> None:
    import numpy as np
    from scipy.stats import permutation_test

    differences = [AFTER[query] - BEFORE[query] for query in BEFORE]
    wanted = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=10_000, rng=0).pvalue
    assert compare_runs(BEFORE, AFTER).p_value == pytest.approx(wanted, abs=0.02)
