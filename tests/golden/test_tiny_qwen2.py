from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.golden.tiny_qwen2 import random_weights


@pytest.fixture(scope="module")
def tokenizer(tiny_qwen2: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tiny_qwen2 / "tokenizer.json"))


def test_the_vocabulary_is_the_real_one(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() == 151646
    assert tokenizer.encode("Hello world 10<|im_end|>").ids == [9707, 1879, 220, 16, 15, 151645]


def test_every_committed_prompt_reads_as_the_text_it_was_made_of(tokenizer: Tokenizer, repository: Path) -> None:
    golden = json.loads((repository / "tests/golden/mxbai.json").read_text("utf-8"))
    texts = [tokenizer.decode(pair["token_ids"], skip_special_tokens=True) for pair in golden["pairs"]]
    assert all(
        f"query: {pair['query']}\n" in text for pair, text in zip(golden["pairs"], texts, strict=True) if pair["query"]
    )


def test_the_weights_are_the_same_on_every_machine() -> None:
    embeddings = random_weights()["model.embed_tokens.weight"]
    assert [round(float(value), 5) for value in embeddings[0, :3]] == [0.355, 0.39433, -0.4293]
