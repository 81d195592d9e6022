"""The answers' models, for the OpenAPI description; the codecs write plain JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, RootModel


class ProRankBlock(BaseModel):
    """What ProRank says of a whole answer."""

    status: Literal["ok", "partial"]
    reason: str
    model: str
    model_revision: str
    calibrated: bool
    query_truncated: bool
    took_ms: float
    parts: dict[str, int] | None = None


class ProRankRow(BaseModel):
    """What ProRank says of one document: score in log-odds, null where it was not scored in time."""

    score: float | None
    probability: float | None
    truncated: bool
    parts: dict[str, float] | None = None
    left_out: bool | None = None


class Result(BaseModel):
    """A document's place in the answer: position in the request, and the number that the order follows."""

    index: int
    relevance_score: float
    prorank: ProRankRow
    document: dict[str, Any] | None = None


class Usage(BaseModel):
    """Tokens, guessed from bytes."""

    prompt_tokens: int
    total_tokens: int


class RerankV1Answer(BaseModel):
    """Answer of `/v1/rerank`, of Cohere, Jina and vLLM alike."""

    id: str
    object: Literal["rerank"]
    model: str
    results: list[Result]
    usage: Usage
    meta: dict[str, Any]
    prorank: ProRankBlock


class RerankV2Answer(BaseModel):
    """Answer of `/v2/rerank`, of Cohere."""

    id: str
    results: list[Result]
    meta: dict[str, Any]
    prorank: ProRankBlock


class TeiRank(BaseModel):
    """A document's place in the answer of text-embeddings-inference."""

    index: int
    score: float
    text: str | None = None
    prorank: ProRankRow | None = None


class TeiAnswer(RootModel[list[TeiRank]]):
    """Answer of `/rerank` to a request with `texts`."""


class PairScore(BaseModel):
    """A pair's score in the answer of vLLM's score endpoint."""

    index: int
    object: Literal["score"]
    score: float
    prorank: ProRankRow


class ScoreAnswer(BaseModel):
    """Answer of `/score` and `/v1/score`, of vLLM; in the order of the request."""

    id: str
    object: Literal["list"]
    created: int
    model: str
    data: list[PairScore]
    usage: Usage
    prorank: ProRankBlock


class MessageFault(BaseModel):
    """Fault of Cohere v2."""

    message: str


class ErrorObject(BaseModel):
    """What vLLM says of a fault."""

    message: str
    type: str
    param: str | None
    code: int


class ErrorFault(BaseModel):
    """Fault of vLLM."""

    error: ErrorObject


class V1Fault(BaseModel):
    """Fault of `/v1/rerank`: Cohere's, Jina's and vLLM's together."""

    message: str
    detail: str
    error: ErrorObject


class TeiFault(BaseModel):
    """Fault of text-embeddings-inference."""

    error: str
    error_type: str
