"""`/v1/rerank`: Cohere v1, Jina and vLLM, whose requests cannot be told apart: the answer has what each looks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from prorank_search.serving.answers import Asked, Question
from prorank_search.serving.faults import Fault
from prorank_search.serving.service import Answered
from prorank_search.serving.shapes.score import error_object
from prorank_search.serving.shapes.shape import (
    Body,
    Extensions,
    Json,
    Shape,
    prorank_block,
    prorank_row,
    readable,
    texts_of,
    validated,
)

DOCUMENTS_PER_UNIT = 100
EXAMPLE: JsonValue = {"query": "how fast is a fox", "documents": ["A fox runs 50 km/h.", "Hens lay eggs."]}


class RerankV1Body(Body):
    """What `/v1/rerank` reads."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    model: str | None = None
    query: str
    documents: list[str | Json] = Field(description="Texts, or objects with text.")
    top_n: Annotated[int, Field(ge=0)] | None = Field(None, description="Answers wanted; 0 or none: all.")
    return_documents: bool | None = Field(None, description="Send the texts back.")
    rank_fields: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Fields of documents that are objects; text otherwise."
    )
    use_activation: bool | None = Field(None, description="False: log-odds in place of probabilities.")
    prorank: Extensions | None = None


def read(body: object) -> Asked:
    """Read a request of Cohere v1, Jina or vLLM."""
    given = validated(RerankV1Body, body)
    extensions = given.prorank or Extensions()
    return Asked(
        questions=(Question(readable(given.query), texts_of(given.documents, given.rank_fields)),),
        model=given.model,
        top_n=given.top_n or None,
        raw=given.use_activation is False,
        with_texts=bool(given.return_documents),
        instruction=extensions.instruction,
        timeout_s=extensions.timeout_s,
    )


def results(asked: Asked, outcome: Answered) -> list[Json]:
    """Write the rows, best first; with their texts where these were asked for."""
    (question,), (answer,) = asked.questions, outcome.answers
    rows: list[Json] = [
        {"index": row.index, "relevance_score": row.number, "prorank": prorank_row(row)} for row in answer.rows
    ]
    if asked.with_texts:
        for row in rows:
            row["document"] = {"text": question.texts[row["index"]]}
    return rows


def meta(asked: Asked, version: str) -> Json:
    """Write what Cohere's answers tell of API and bill."""
    units = -(-len(asked.questions[0].texts) // DOCUMENTS_PER_UNIT)
    return {"api_version": {"version": version}, "billed_units": {"search_units": units}}


def write(asked: Asked, outcome: Answered, request_id: str) -> Json:
    """Write the answer that Cohere v1, Jina and vLLM clients all read."""
    block = prorank_block(outcome, outcome.answers[0])
    return {
        "id": request_id,
        "object": "rerank",
        "model": asked.model or block["model"],
        "results": results(asked, outcome),
        "usage": {"prompt_tokens": outcome.tokens, "total_tokens": outcome.tokens},
        "meta": meta(asked, "1"),
        "prorank": block,
    }


def fault(fault: Fault) -> tuple[int, Json]:
    """Write a fault in the words of all three."""
    return fault.status, {"message": fault.message, "detail": fault.message, "error": error_object(fault)}


SHAPE = Shape("rerank_v1", read, write, fault)
