"""What a shape is, and what all shapes have: our own key, and texts that any model can read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prorank_search.errors import InputError
from prorank_search.serving.answers import Answer, Asked, Row
from prorank_search.serving.faults import Fault, explain
from prorank_search.serving.service import Answered

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to say a rerank request and its answer.

    Attributes:
        name: As metrics and logs call it.
        read: Makes a decoded body into what is asked; raises `InputError`.
        write: Makes the outcome into a body.
        fault: Makes a fault into the shape's own status and body.
    """

    name: str
    read: Callable[[object], Asked]
    write: Callable[[Asked, Answered, str], object]
    fault: Callable[[Fault], tuple[int, Json]]


class Body(BaseModel):
    """A request's body: what a shape does not know is ignored, as its own servers do."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class Extensions(BaseModel):
    """What ProRank takes beyond the shape, under the one key `prorank`."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    instruction: str | None = Field(None, description="What counts as relevant, where the model takes such a thing.")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        None, description="Seconds; what is not scored by then comes last, marked unscored."
    )


Given = TypeVar("Given", bound=Body)


def validated(model: type[Given], body: object) -> Given:
    """Read a decoded body.

    Raises:
        InputError: It is not what the shape asks for; the message has none of the body's text.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InputError(f"invalid request: {explain(error)}") from error


def readable(text: str) -> str:
    r"""Return a text without half characters, which JSON can have and no tokenizer takes.

    Example:
        >>> readable("a\ud83d"), readable("😀")
        ('a\ufffd', '😀')
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def texts_of(documents: Sequence[str | Json], fields: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the text of each document; of one that is an object `text`, or the fields that are named, each on a line.

    Raises:
        InputError: An object has none of the fields.
    """
    return tuple(readable(_text(document, fields or ("text",), at)) for at, document in enumerate(documents))


def _text(document: str | Json, fields: Sequence[str], at: int) -> str:
    if isinstance(document, str):
        return document
    values = [document[field] for field in fields if document.get(field) is not None]
    if not values or not all(isinstance(value, str | int | float) for value in values):
        raise InputError(f"documents.{at}: an object needs text in 'text', or in one of the rank_fields")
    return "\n".join(str(value) for value in values)


def prorank_block(outcome: Answered, answer: Answer) -> Json:
    """Return what ProRank says of a whole answer."""
    status = answer.status
    block = {
        "status": status.state,
        "reason": status.reason,
        "model": status.model,
        "model_revision": status.model_revision,
        "calibrated": answer.calibrated,
        "query_truncated": status.query_truncated,
        "took_ms": outcome.took_ms,
    }
    return block | {"parts": dict(status.parts)} if status.parts else block


def prorank_row(row: Row) -> Json:
    """Return what ProRank says of one document; a score of null: not scored in time, or left out."""
    said = {"score": row.score, "probability": row.probability, "truncated": row.truncated}
    return said | {"parts": dict(row.parts), "left_out": row.left_out} if row.parts else said
