"""The ONNX bi-encoder: what it makes of a text, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from prorank_search import plugins
from prorank_search.errors import CheckpointError, ConfigError
from prorank_search.protocols import Rescorer
from prorank_search.settings import Settings
from prorank_search.types import ScoreRequest

pytest.importorskip("onnx", reason="makes the model of these tests")
pytest.importorskip("onnxruntime", reason="needs the extra 'embedding'")

from tests.tiny_encoders import HIDDEN, MOST_TOKENS, write_onnx

QUERY, TEXT = "how fast does a fox run", "whale"


def opened(folder: Path, home: Path, **changes: object) -> Rescorer:
    settings = Settings.model_validate({"home": home, "model": str(folder)} | changes)
    rescorer: Rescorer = plugins.load("rescorers", "embedding")(settings)
    return rescorer


def score(rescorer: Rescorer, query: str = QUERY, text: str = TEXT) -> float:
    (scored,) = rescorer.score(ScoreRequest(query, [text]))
    assert scored.score is not None
    return scored.score


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_onnx(tmp_path / "tiny")


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_score_is_the_cosine_of_the_pooled_states_of_prefixed_query_and_text(tmp_path: Path, pooling: str) -> None:
    folder = write_onnx(tmp_path / "tiny", pooling, query_prefix="query: ")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    weights = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), HIDDEN))

    def vector(text: str) -> np.ndarray:
        states = weights[tokenizer.encode(text).ids]
        pooled = states[0] + states.mean(axis=0) if pooling == "cls" else 2 * states.mean(axis=0)
        unit: np.ndarray = pooled / np.linalg.norm(pooled)
        return unit

    expected = float(vector(f"query: {QUERY}") @ vector(TEXT))
    assert score(opened(folder, tmp_path)) == pytest.approx(expected, abs=1e-3)


def test_a_long_text_is_cut_where_the_settings_say(folder: Path, tmp_path: Path) -> None:
    rescorer = opened(folder, tmp_path, max_length_tokens=32)
    whole, cut = rescorer.score(ScoreRequest(QUERY, ["fox " * 30, "fox " * 30 + "whale " * 9]))
    assert (whole.truncated, cut.truncated) == (False, True)
    assert whole.score == cut.score
    assert rescorer.score(ScoreRequest("fox " * 40, [TEXT]))[0].query_truncated


def test_texts_are_not_cut_later_than_the_model_can_read(folder: Path, tmp_path: Path) -> None:
    assert opened(folder, tmp_path).revision.endswith(f"-{MOST_TOKENS}")
    with pytest.raises(ConfigError, match=f"reads up to {MOST_TOKENS} tokens; set {MOST_TOKENS} or less"):
        opened(folder, tmp_path, max_length_tokens=MOST_TOKENS + 1)


def test_what_reads_like_a_special_token_is_text(folder: Path, tmp_path: Path) -> None:
    rescorer = opened(folder, tmp_path)
    assert score(rescorer, text="fox [SEP]") == pytest.approx(score(rescorer, text="fox [ sep ]"), abs=1e-4)


@pytest.mark.parametrize("changes", [{"max_length_tokens": 32}, {"model": "another"}])
def test_whatever_may_change_a_vector_changes_the_revision(
    folder: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    if "model" in changes:
        changes = {"model": str(write_onnx(tmp_path / "another", seed=1))}
    assert opened(folder, tmp_path, **changes).revision != opened(folder, tmp_path).revision


def test_vectors_are_kept_in_the_users_home(folder: Path, tmp_path: Path) -> None:
    score(opened(folder, tmp_path / "home"))
    assert (tmp_path / "home" / "cache" / "vectors.sqlite").is_file()


def test_weights_that_cannot_be_read_are_told(folder: Path, tmp_path: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(CheckpointError, match=r"model\.onnx cannot be loaded"):
        opened(folder, tmp_path)


def test_an_unknown_way_of_pooling_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "embedding.json").write_text(json.dumps({"pooling": "max"}))
    with pytest.raises(CheckpointError, match=r"embedding\.json cannot be used"):
        opened(folder, tmp_path)
