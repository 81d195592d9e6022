"""`/rerank` with `texts`: text-embeddings-inference; a list of answers, best first."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from prorank_search.serving.answers import Asked, Question
from prorank_search.serving.faults import Fault
from prorank_search.serving.service import Answered
from prorank_search.serving.shapes.shape import Body, Extensions, Json, Shape, prorank_row, readable, validated

_STATUS = {400: 422, 500: 424}
_TYPES = {
    401: "Validation",
    403: "Validation",
    404: "Validation",
    408: "Validation",
    413: "Validation",
    422: "Validation",
    424: "Backend",
    429: "Overloaded",
    503: "Unhealthy",
}


class TeiBody(Body):
    """What `/rerank` reads where it has `texts`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "how fast is a fox", "texts": ["A fox runs 50 km/h.", "Hens lay eggs."]}]
        }
    )

    query: str
    texts: list[str]
    model: str | None = None
    raw_scores: bool | None = Field(None, description="Log-odds in place of probabilities.")
    return_text: bool | None = Field(None, description="Send the texts back.")
    truncate: bool | None = Field(None, description="Has no effect: what is too long is cut.")
    truncation_direction: Literal["Right", "right"] | None = Field(None, description="Texts are cut at their end.")
    top_n: int | None = Field(None, ge=0, description="Answers wanted, as Elasticsearch asks; 0 or none: all.")
    prorank: Extensions | None = None


def read(body: object) -> Asked:
    """Read a request of text-embeddings-inference."""
    given = validated(TeiBody, body)
    extensions = given.prorank or Extensions()
    return Asked(
        questions=(Question(readable(given.query), tuple(map(readable, given.texts))),),
        model=given.model,
        top_n=given.top_n or None,
        raw=bool(given.raw_scores),
        with_texts=bool(given.return_text),
        extended=given.prorank is not None,
        instruction=extensions.instruction,
        timeout_s=extensions.timeout_s,
    )


def write(asked: Asked, outcome: Answered, request_id: str) -> list[Json]:
    """Write the rows, best first; our own key only where the request had it."""
    del request_id
    (question,), (answer,) = asked.questions, outcome.answers
    rows: list[Json] = []
    for row in answer.rows:
        written: Json = {"index": row.index, "score": row.number}
        if asked.with_texts:
            written["text"] = question.texts[row.index]
        if asked.extended:
            written["prorank"] = prorank_row(row)
        rows.append(written)
    return rows


def fault(fault: Fault) -> tuple[int, Json]:
    """Write a fault as text-embeddings-inference does."""
    if fault.empty:
        return fault.status, {"error": fault.message, "error_type": "Empty"}
    status = _STATUS.get(fault.status, fault.status)
    return status, {"error": fault.message, "error_type": _TYPES.get(status, "Backend")}


SHAPE = Shape("tei", read, write, fault)
