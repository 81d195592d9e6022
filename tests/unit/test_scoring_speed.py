"""What a machine's speed is taken for, and how it is corrected."""

from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.scoring.speed import Speed


def _never() -> float:
    pytest.fail("probed again")


def test_the_probe_is_taken_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "speed.json"
    assert Speed(file, "model-a", lambda: 0.5).seconds_a_text == 0.5
    assert Speed(file, "model-a", _never).seconds_a_text == 0.5


def test_models_do_not_know_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    Speed(file, "model-a", lambda: 0.5)
    assert Speed(file, "model-b", lambda: 0.1).seconds_a_text == 0.1
    assert Speed(file, "model-a", _never).seconds_a_text == 0.5


def test_what_is_seen_corrects_the_probe_and_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    speed = Speed(file, "model-a", lambda: 0.5)
    for _ in range(40):
        speed.saw(texts=10, seconds=1.0)
    assert speed.seconds_a_text == pytest.approx(0.1, rel=0.05)
    assert Speed(file, "model-a", _never).seconds_a_text == pytest.approx(0.1, rel=0.15)


def test_a_request_without_texts_says_nothing(tmp_path: Path) -> None:
    speed = Speed(tmp_path / "speed.json", "model-a", lambda: 0.5)
    speed.saw(texts=0, seconds=9.0)
    assert speed.seconds_a_text == 0.5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model-a": "fast"}', '{"model-a": -1.0}'])
def test_a_damaged_cache_is_begun_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "speed.json"
    file.write_text(content)
    Speed(file, "model-a", lambda: 0.5)
    assert Speed(file, "model-a", _never).seconds_a_text == 0.5
