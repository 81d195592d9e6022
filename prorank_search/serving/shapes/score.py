"""`/score` and `/v1/score`: pairs, as vLLM scores them; answers in the order of the request."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import ConfigDict, Field

from prorank_search.errors import InputError
from prorank_search.serving.answers import Asked, Question
from prorank_search.serving.faults import Fault
from prorank_search.serving.service import Answered
from prorank_search.serving.shapes.shape import (
    Body,
    Extensions,
    Json,
    Shape,
    prorank_block,
    prorank_row,
    readable,
    validated,
)

_TYPES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "BadRequestError",
    413: "BadRequestError",
    429: "RateLimitError",
}
_ERROR = "InternalServerError"

Texts = Annotated[list[str], Field(min_length=1)]


class ScoreBody(Body):
    """One text against one or many, or as many against as many."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text_1": "how fast is a fox", "text_2": ["A fox runs 50 km/h.", "Hens lay eggs."]}]
        }
    )

    model: str | None = None
    text_1: str | Texts = Field(description="The query, or a query for each text.")
    text_2: str | Texts = Field(description="The texts.")
    use_activation: bool | None = Field(None, description="False: log-odds in place of probabilities.")
    prorank: Extensions | None = None


def read(body: object) -> Asked:
    """Read pairs: of one query with all its texts, so that what it shares is computed once.

    Raises:
        InputError: There are several queries, and not as many texts.
    """
    given = validated(ScoreBody, body)
    queries = [given.text_1] if isinstance(given.text_1, str) else given.text_1
    texts = tuple(map(readable, [given.text_2] if isinstance(given.text_2, str) else given.text_2))
    if len(queries) not in {1, len(texts)}:
        raise InputError(f"text_1 has {len(queries)} texts and text_2 {len(texts)}: one, or as many")
    questions: tuple[Question, ...] = (Question(readable(queries[0]), texts),)
    if len(queries) > 1:
        questions = tuple(Question(readable(query), (text,)) for query, text in zip(queries, texts, strict=True))
    extensions = given.prorank or Extensions()
    return Asked(
        questions=questions,
        model=given.model,
        raw=given.use_activation is False,
        instruction=extensions.instruction,
        timeout_s=extensions.timeout_s,
    )


def write(asked: Asked, outcome: Answered, request_id: str) -> Json:
    """Write a score for each pair, in the order of the request."""
    rows = [row for answer in outcome.answers for row in sorted(answer.rows, key=lambda row: row.index)]
    partial = [answer for answer in outcome.answers if answer.status.state != "ok"]
    block = prorank_block(outcome, (partial or outcome.answers)[0])
    return {
        "id": request_id,
        "object": "list",
        "created": int(time.time()),
        "model": asked.model or block["model"],
        "data": [
            {"index": at, "object": "score", "score": row.number, "prorank": prorank_row(row)}
            for at, row in enumerate(rows)
        ],
        "usage": {"prompt_tokens": outcome.tokens, "total_tokens": outcome.tokens},
        "prorank": block,
    }


def error_object(fault: Fault) -> Json:
    """Return the object that vLLM's faults have."""
    return {"message": fault.message, "type": _TYPES.get(fault.status, _ERROR), "param": None, "code": fault.status}


def fault(fault: Fault) -> tuple[int, Json]:
    """Write a fault as vLLM does."""
    return fault.status, {"error": error_object(fault)}


SHAPE = Shape("score", read, write, fault)
