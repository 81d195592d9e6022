"""Our template `mxbai-rerank-v2` and our engine against what the package mxbai-rerank itself made of the same texts."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from prorank_search.rescorers.prorank import ProRankRescorer
from prorank_search.scoring.loading import Loaded, load_engine
from prorank_search.types import ScoreRequest

Pair = dict[str, Any]


@pytest.fixture(scope="module")
def asked(repository: Path) -> list[list[Pair]]:
    """The committed pairs, those of one query together."""
    pairs = json.loads((repository / "tests/golden/mxbai.json").read_text("utf-8"))["pairs"]
    return [list(together) for _, together in groupby(pairs, key=lambda pair: (pair["query"], pair["instruction"]))]


@pytest.fixture(scope="module")
def loaded(tiny_qwen2: Path) -> Loaded:
    return load_engine(
        "mxbai-rerank-tiny-v2", tiny_qwen2, tiny_qwen2, device="cpu", dtype="float32", max_length_tokens=4096
    )


def test_every_prompt_has_the_packages_token_ids(asked: list[list[Pair]], loaded: Loaded) -> None:
    for pairs in asked:
        prefix = loaded.encoder.prefix(pairs[0]["query"], pairs[0]["instruction"]).ids
        rows = loaded.encoder.documents([pair["document"] for pair in pairs], len(prefix))
        assert [[*prefix, *row.ids] for row in rows] == [pair["token_ids"] for pair in pairs]


def test_every_score_is_the_packages(asked: list[list[Pair]], loaded: Loaded) -> None:
    rescorer = ProRankRescorer(loaded)
    for pairs in asked:
        texts = [pair["document"] for pair in pairs]
        scored = rescorer.score(ScoreRequest(pairs[0]["query"], texts, instruction=pairs[0]["instruction"]))
        assert [each.score for each in scored] == pytest.approx([pair["score"] for pair in pairs], abs=1e-4)
    rescorer.close()


def test_a_released_reranker_is_foreign_and_says_so(loaded: Loaded) -> None:
    rescorer = ProRankRescorer(loaded)
    assert loaded.checkpoint.state == "foreign"
    assert "no ProRank contract" in rescorer.info.reason
    assert rescorer.info.calibration is None
    rescorer.close()
