"""Models in the form of sentence-transformers: their scores are those of transformers itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'sentence-transformers'")

import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer
from transformers import AutoModel, AutoModelForSequenceClassification

from prorank_search import plugins
from prorank_search.errors import CheckpointError, ConfigError
from prorank_search.protocols import Rescorer
from prorank_search.settings import Settings
from prorank_search.types import ScoreRequest
from tests.tiny_encoders import MOST_TOKENS, write_bi_encoder, write_cross_encoder

QUERY, TEXTS = "how fast does a fox run", ["a fox runs fast", "whales swim"]


def opened(folder: Path, home: Path, **changes: object) -> Rescorer:
    settings = Settings.model_validate({"home": home, "model": str(folder), "device": "cpu"} | changes)
    rescorer: Rescorer = plugins.load("rescorers", "sentence-transformers")(settings)
    return rescorer


def scores(rescorer: Rescorer) -> list[float | None]:
    return [scored.score for scored in rescorer.score(ScoreRequest(QUERY, TEXTS))]


def test_a_cross_encoders_score_is_its_logit(tmp_path: Path) -> None:
    folder = write_cross_encoder(tmp_path / "tiny")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    expected = []
    for text in TEXTS:
        tokens = tokenizer.encode(QUERY, text)
        answer = model(input_ids=torch.tensor([tokens.ids]), token_type_ids=torch.tensor([tokens.type_ids]))
        expected.append(answer.logits.item())
    assert scores(opened(folder, tmp_path)) == pytest.approx(expected, abs=1e-4)


def test_a_bi_encoders_score_is_the_cosine_of_its_pooled_states(tmp_path: Path) -> None:
    folder = write_bi_encoder(tmp_path / "tiny")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModel.from_pretrained(folder)

    def vector(text: str) -> torch.Tensor:
        with torch.no_grad():
            states: torch.Tensor = model(input_ids=torch.tensor([tokenizer.encode(text).ids])).last_hidden_state
        return torch.nn.functional.normalize(states[0].mean(dim=0), dim=0)

    expected = [float(vector(QUERY) @ vector(text)) for text in TEXTS]
    assert scores(opened(folder, tmp_path)) == pytest.approx(expected, abs=1e-3)


def test_a_cross_encoder_is_one_still_after_todays_sentence_transformers_saved_it(tmp_path: Path) -> None:
    folder = write_cross_encoder(tmp_path / "tiny")
    CrossEncoder(str(folder), device="cpu").save_pretrained(str(tmp_path / "saved"))
    assert scores(opened(tmp_path / "saved", tmp_path)) == pytest.approx(scores(opened(folder, tmp_path)), abs=1e-5)


def test_a_classifier_of_several_classes_cannot_rank(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="answers with 3 numbers a text"):
        opened(write_cross_encoder(tmp_path / "tiny", labels=3), tmp_path)


def test_weights_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    folder = write_cross_encoder(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"cannot load .*tiny"):
        opened(folder, tmp_path)


@pytest.mark.parametrize("write", [write_bi_encoder, write_cross_encoder])
def test_a_text_that_is_too_long_is_cut_and_says_so(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    folder = write(tmp_path / "tiny")
    rescorer = opened(folder, tmp_path, max_length_tokens=40)
    short, long = rescorer.score(ScoreRequest(QUERY, ["fox", "fox " * 50]))
    assert (short.truncated, long.truncated) == (False, True)
    assert rescorer.revision != opened(folder, tmp_path).revision
    with pytest.raises(ConfigError, match=f"reads up to {MOST_TOKENS} tokens"):
        opened(folder, tmp_path, max_length_tokens=MOST_TOKENS + 1)
