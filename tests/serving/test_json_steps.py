from __future__ import annotations

import json
import random
from typing import Any

import pytest

from prorank_search.serving import json_steps

WHITE = ["", " ", "\n", "\t ", "\r\n"]


@pytest.fixture
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of a few characters, so that short texts take many."""
    monkeypatch.setattr(json_steps, "STEP", 16)


def some_json(chance: random.Random, depth: int = 4) -> str:
    """Return a JSON text with white space, escapes, commas and brackets inside its strings."""

    def white() -> str:
        return chance.choice(WHITE)

    kind = chance.choice(["object", "array", "text", "number", "word"] if depth else ["text", "number", "word"])
    if kind == "object":
        keys = [chance.choice(["a", "a,b", "{", "]", 'q\\"', "long key " * 3]) for _ in range(chance.randrange(6))]
        return (
            f"{{{white()}"
            + ",".join(f'{white()}"{key}"{white()}:{white()}{some_json(chance, depth - 1)}{white()}' for key in keys)
            + "}"
        )
    if kind == "array":
        items = [f"{white()}{some_json(chance, depth - 1)}{white()}" for _ in range(chance.randrange(9))]
        return f"[{white()}{','.join(items)}]"
    if kind == "text":
        return json.dumps("".join(chance.choice(',"[]{}:\\ aé🦊\ud83d') for _ in range(chance.randrange(40))))
    return chance.choice(["1", "-1.50e3", "123456789012345678901234567890", "true", "false", "null", "NaN"])


def outcome(decode: Any, text: str) -> object:  # noqa: ANN401 (a function)
    try:
        return json.dumps(decode(text))
    except ValueError:
        return "refused"


@pytest.mark.usefixtures("short_steps")
def test_a_text_says_the_same_in_steps_as_at_once_and_a_wrong_one_is_refused_by_both() -> None:
    chance = random.Random(1)
    for _ in range(3000):
        text = chance.choice(WHITE) + some_json(chance) + chance.choice(WHITE)
        assert outcome(json_steps.loads, text) == outcome(json.loads, text) != "refused", text
        at = chance.randrange(len(text) + 1)
        spoiled = text[:at] + chance.choice([",", "]", "}", '"', ":", "", "1", " "]) + text[at + chance.randrange(2) :]
        assert outcome(json_steps.loads, spoiled) == outcome(json.loads, spoiled), spoiled


@pytest.mark.usefixtures("short_steps")
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[[1],".join([""] * 50_000)])
def test_what_lies_too_deep_is_told_as_the_decoder_does(text: str) -> None:
    with pytest.raises((RecursionError, ValueError)):
        json_steps.loads(text)


class Watched(json.JSONDecoder):
    """Notes how many characters each call reads; the interpreter changes threads only between calls."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []
        self.handed: list[int] = []

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        """Decode the value at a position."""
        self.handed.append(len(s))
        try:
            value, end = super().raw_decode(s, idx)
        except json.JSONDecodeError as error:
            self.read.append(error.pos - idx)
            raise
        self.read.append(end - idx)
        return value, end


@pytest.mark.parametrize(
    "text",
    [
        '{"documents": [' + "[]," * 400_000 + "1]}",
        '{"a": {"b": {"c": [' + '{"d": 1, "e": "f"},' * 50_000 + "1]}}}",
        json.dumps({"terms": {"_id": [str(number) for number in range(100_000)]}, "flat": dict.fromkeys("ab", 1)}),
        json.dumps({str(number): number for number in range(100_000)}),
        json.dumps({"documents": ["a fox " * 5_000] * 40}),
    ],
    ids=["lists", "objects", "words", "keys", "texts"],
)
def test_no_call_reads_more_than_a_step(text: str) -> None:
    decoder = Watched()
    assert json_steps.loads(text, decoder) == json.loads(text)
    assert max(decoder.read) <= json_steps.STEP + 2
    assert sum(decoder.read) < 3 * len(text)


INTS = "1," * (json_steps.STEP // 2) + "1"


def test_few_levels_are_longer_than_a_step() -> None:
    text = "[" * 16 + INTS + "]" * 16
    assert json_steps.loads(text) == json.loads(text)
    with pytest.raises(RecursionError):
        json_steps.loads(f"[{text}]")


def test_short_items_are_not_read_out_of_a_step_each() -> None:
    decoder = Watched()
    text = "[" + "[1,2]," * 50_000 + "1]"
    assert json_steps.loads(text, decoder) == json.loads(text)
    assert sum(length for length in decoder.handed if length < len(text)) < 1000 * len(text)
