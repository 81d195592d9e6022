"""The core of every rerank shape: what was asked, and scores made into an ordered answer. Pure: no HTTP, no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prorank_search.blend import sigmoid
from prorank_search.errors import InputError, NothingToScoreError, TooLargeError
from prorank_search.rescore import probability_of
from prorank_search.serving.numbers import falling, plain
from prorank_search.settings import Settings
from prorank_search.types import Calibration, RescorerInfo, Scored, Status

_LOWEST = 1e-30
"""What a probability is written as at least: the lowest number that every client tells from zero."""

_UNDECIDED_PROBABILITY, _UNDECIDED_SCORE = 0.5, 0.0
"""An unscored document counts as no better than that, and as no better than the lowest scored one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One query and the texts that are scored for it."""

    query: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, whatever its shape.

    Attributes:
        questions: At least one; several only where a shape has pairs.
        model: The name that the client gives the model; None: the one there is.
        top_n: Answers wanted; None: all.
        raw: Whether the numbers are scores (log-odds), not probabilities.
        with_texts: Whether the texts are sent back.
        extended: Whether the request has our own key, so that its answer may have it too, whatever the shape.
        instruction: What counts as relevant, where the model takes such a thing.
        timeout_s: Seconds; None: the service's own.
    """

    questions: tuple[Question, ...]
    model: str | None = None
    top_n: int | None = None
    raw: bool = False
    with_texts: bool = False
    extended: bool = False
    instruction: str | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one text.

    Attributes:
        index: Its position in the request.
        number: What the shape's own key says: falls strictly along the rows.
        score: The rescorer's score; None: not scored in time.
        probability: Calibrated; None without calibration or score.
        truncated: The rescorer did not read all of it.
        parts: Of a chain, the score of each rescorer that saw it.
        left_out: An earlier rescorer of a chain did not let it through.
    """

    index: int
    number: float
    score: float | None
    probability: float | None
    truncated: bool
    parts: Mapping[str, float]
    left_out: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        rows: Best first.
        status: What became of it.
        calibrated: Whether numbers are calibrated probabilities.
    """

    rows: tuple[Row, ...]
    status: Status
    calibrated: bool


def check(asked: Asked, settings: Settings) -> None:
    """See that a request can be answered.

    Raises:
        TooLargeError: It has more or longer texts than the settings allow; the message names which of them.
        InputError: A query is blank, or there is nothing to score.
    """
    count = sum(len(question.texts) for question in asked.questions)
    if count > settings.max_texts:
        raise TooLargeError(
            f"{count} documents are more than the {settings.max_texts} of one request: send fewer, or set max_texts"
        )
    check_characters([text for asks in asked.questions for text in (asks.query, *asks.texts)], settings)
    if not count:
        raise NothingToScoreError("there are no documents to score: send at least one")
    if not all(question.query.strip() for question in asked.questions):
        raise InputError("the query is empty: send at least one word")


def check_characters(texts: Iterable[str], settings: Settings) -> None:
    """See that a request's texts, its query among them, are no longer than the settings allow.

    Raises:
        TooLargeError: One of them is, or all together.
    """
    lengths = [len(text) for text in texts]
    if max(lengths, default=0) > settings.max_text_chars:
        raise TooLargeError(
            f"a text of {max(lengths)} characters is longer than the {settings.max_text_chars} of one text: "
            "cut it, or set max_text_chars"
        )
    if sum(lengths) > settings.max_request_chars:
        raise TooLargeError(
            f"{sum(lengths)} characters are more than the {settings.max_request_chars} of one request: "
            "send fewer or shorter documents, or set max_request_chars"
        )


def answer(scored: Sequence[Scored], info: RescorerInfo, revision: str, asked: Asked) -> Answer:
    """Make scores into an answer: by score, then the unscored in the order in which they came.

    Args:
        scored: The rescorer's answer for each text, all of them numbers.
        info: What the rescorer says of itself.
        revision: The rescorer's revision.
        asked: What is wanted.
    """
    scores = [text.score for text in scored]
    order = sorted(range(len(scored)), key=lambda index: _by_score(scored[index]))
    numbers = falling(_number(scores[index], info.calibration, raw=asked.raw) for index in order)
    rows = tuple(
        Row(
            index=index,
            number=number,
            score=_plain(scores[index]),
            probability=_plain(probability_of(scores[index], info.calibration)),
            truncated=scored[index].truncated,
            parts={name: plain(score) for name, score in scored[index].parts.items()},
            left_out=scored[index].left_out,
        )
        for index, number in zip(order, numbers, strict=True)
    )
    status = _status(scored, info, revision)
    return Answer(rows[: asked.top_n], status, info.calibration is not None)


def _by_score(scored: Scored) -> tuple[bool, int, float]:
    parts, reached = scored.reached
    return (True, -parts, -reached) if scored.score is None else (False, 0, -scored.score)


def _number(score: float | None, calibration: Calibration | None, *, raw: bool) -> float:
    if score is None:
        return _UNDECIDED_SCORE if raw else _UNDECIDED_PROBABILITY
    if raw:
        return score
    probability = probability_of(score, calibration)
    return max(_LOWEST, sigmoid(score) if probability is None else probability)


def _plain(value: float | None) -> float | None:
    return None if value is None else plain(value)


def _status(scored: Sequence[Scored], info: RescorerInfo, revision: str) -> Status:
    left = sum(text.score is None and not text.left_out for text in scored)
    return Status(
        state="partial" if left else "ok",
        reason=f"{left} of {len(scored)} documents were not scored in time" if left else info.reason,
        window_size=len(scored),
        model=info.model,
        model_revision=revision,
        query_truncated=any(text.query_truncated for text in scored),
        parts=dict(Counter(name for text in scored for name in text.parts)),
    )
