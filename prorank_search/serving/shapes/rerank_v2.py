"""`/v2/rerank`: Cohere v2."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from prorank_search.serving.answers import Asked, Question
from prorank_search.serving.faults import Fault
from prorank_search.serving.service import Answered
from prorank_search.serving.shapes.rerank_v1 import EXAMPLE, meta, results
from prorank_search.serving.shapes.shape import (
    Body,
    Extensions,
    Json,
    Shape,
    prorank_block,
    readable,
    texts_of,
    validated,
)


class RerankV2Body(Body):
    """What `/v2/rerank` reads."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    model: str | None = None
    query: str
    documents: list[str | Json] = Field(description="Texts; an object with text is one too.")
    top_n: Annotated[int, Field(ge=0)] | None = Field(None, description="Answers wanted; 0 or none: all.")
    return_documents: bool | None = Field(None, description="Send the texts back.")
    use_activation: bool | None = Field(None, description="False: log-odds in place of probabilities.")
    prorank: Extensions | None = None


def read(body: object) -> Asked:
    """Read a request of Cohere v2."""
    given = validated(RerankV2Body, body)
    extensions = given.prorank or Extensions()
    return Asked(
        questions=(Question(readable(given.query), texts_of(given.documents)),),
        model=given.model,
        top_n=given.top_n or None,
        raw=given.use_activation is False,
        with_texts=bool(given.return_documents),
        instruction=extensions.instruction,
        timeout_s=extensions.timeout_s,
    )


def write(asked: Asked, outcome: Answered, request_id: str) -> Json:
    """Write the answer as Cohere v2 does."""
    return {
        "id": request_id,
        "results": results(asked, outcome),
        "meta": meta(asked, "2"),
        "prorank": prorank_block(outcome, outcome.answers[0]),
    }


def fault(fault: Fault) -> tuple[int, Json]:
    """Write a fault as Cohere does."""
    return fault.status, {"message": fault.message}


SHAPE = Shape("rerank_v2", read, write, fault)
