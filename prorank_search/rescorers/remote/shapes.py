"""The shapes of rerank servers, seen from the client: how texts are sent, and scores read out of an answer. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from prorank_search.errors import ConfigError, RescorerError
from prorank_search.types import Scored

Json = dict[str, Any]
ShapeName = Literal["prorank", "cohere", "tei", "vllm"]

_INFO_PATH = "/info"
_PATHS: Mapping[str, ShapeName] = {
    "/v1/rerank": "cohere",
    "/v2/rerank": "cohere",
    "/v1/score": "vllm",
    "/rerank": "tei",
    "/score": "vllm",
}
"""What is spoken where, longer paths first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of server is spoken to.

    Attributes:
        path: Where, in an address that has no path.
        texts: The key of the texts in a request.
        rows: The key of the rows in an answer; empty: the answer is the list.
        number: The key of the score in a row.
        fixed: What every request says.
        most_texts: Texts in one request.
        counted: Whether a request says how many rows it wants.
    """

    path: str
    query: str
    texts: str
    rows: str
    number: str
    fixed: Mapping[str, object]
    most_texts: int
    counted: bool = False


_COHERE = Shape("/v2/rerank", "query", "documents", "results", "relevance_score", {}, 100, counted=True)
SHAPES: Mapping[ShapeName, Shape] = {
    "prorank": _COHERE,
    "cohere": _COHERE,
    "tei": Shape("/rerank", "query", "texts", "", "score", {"raw_scores": True, "truncate": True}, 32),
    "vllm": Shape("/v1/score", "text_1", "text_2", "data", "score", {"use_activation": False}, 100),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is asked, and how.

    Attributes:
        url: Where texts are sent.
        info_url: Where servers of text-embeddings-inference, and ours, say what they are.
        shape: The shape's name.
    """

    url: str
    info_url: str
    shape: ShapeName

    @property
    def shown(self) -> str:
        """The address without its query string, which may hold a secret."""
        return self.url.partition("?")[0]


def place_of(url: str, shape: ShapeName | Literal["auto"]) -> Place:
    """Return where and how a server is asked.

    Args:
        url: Its address; without a path it is a ProRank service's, unless the shape says otherwise.
        shape: Its shape; `auto`: what its path is known for.

    Raises:
        ConfigError: The path is not known for a shape.

    Example:
        >>> place_of("https://api.example.com/v2/rerank", "auto").shape
        'cohere'
        >>> place_of("http://127.0.0.1:8080", "auto")
        Place(url='http://127.0.0.1:8080/v2/rerank', info_url='http://127.0.0.1:8080/info', shape='prorank')
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    known = next((known for known in _PATHS if path.endswith(known)), None)
    if shape == "auto":
        if path and known is None:
            raise ConfigError(
                f"remote_url: nobody knows the shape of {path!r}: set remote_shape to cohere (Jina and vLLM too), tei, "
                f"vllm (its score endpoint) or prorank, or use a path that ends in {', '.join(_PATHS)}"
            )
        shape = _PATHS[known] if known else "prorank"
    root = path.removesuffix(known or "")
    path = path or SHAPES[shape].path
    return Place(
        url=urlunsplit(parts._replace(path=path)),
        info_url=urlunsplit(parts._replace(path=root + _INFO_PATH)),
        shape=shape,
    )


def body(shape: Shape, query: str, texts: Sequence[str], model: str | None, extension: Json | None) -> Json:
    """Write a request.

    Args:
        shape: The server's shape.
        query: The query.
        texts: The texts.
        model: What the server is to call its model; None: nothing.
        extension: What a ProRank service is told beside; None: it is none.
    """
    written: Json = {shape.query: query, shape.texts: list(texts), **shape.fixed}
    if shape.counted:
        written["top_n"] = len(texts)
    if model is not None:
        written["model"] = model
    if extension is not None:
        written["prorank"] = extension
    return written


def scores(shape: Shape, answer: object, wanted: int, server: str) -> list[Scored]:
    """Read the scores out of an answer, in the order of the request.

    A ProRank service says its own scores under `prorank`; null there means that one was not scored in time.

    Args:
        shape: The server's shape.
        answer: The decoded body.
        wanted: How many texts were sent.
        server: Its address, for messages.

    Raises:
        RescorerError: The answer is not of the shape, has a score that is no number, or not one for each text.

    Example:
        >>> rows = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}]
        >>> [one.score for one in scores(SHAPES["cohere"], {"results": rows}, 2, "http://127.0.0.1")]
        [0.2, 0.9]
    """
    rows = answer.get(shape.rows) if shape.rows and isinstance(answer, dict) else answer
    block = _own(answer)
    if not isinstance(rows, list):
        raise RescorerError(f"{server} gave no {shape.rows or 'list'} in its answer: see remote_shape")
    found: dict[int, Scored] = {}
    for row in rows:
        index = row.get("index") if isinstance(row, dict) else None
        if not isinstance(index, int) or index in found or not 0 <= index < wanted:
            raise RescorerError(f"{server} answered {wanted} texts with the index {index!r}")
        found[index] = _scored(row, shape, server, query_truncated=block.get("query_truncated") is True)
    if len(found) != wanted:
        raise RescorerError(f"{server} answered {wanted} texts with {len(found)} scores")
    return [found[index] for index in range(wanted)]


def revision_in(answer: object) -> str | None:
    """Return the revision that a ProRank service names in its answer."""
    revision = _own(answer).get("model_revision")
    return revision if isinstance(revision, str) else None


def _scored(row: Json, shape: Shape, server: str, *, query_truncated: bool) -> Scored:
    own = _own(row)
    score = own["score"] if "score" in own else row.get(shape.number)
    parts, left_out = _parts(own), own.get("left_out") is True
    if score is None and own:
        return Scored(None, query_truncated=query_truncated, parts=parts, left_out=left_out)
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise RescorerError(f"{server} gave a text the {shape.number} {str(score)[:40]!r}, which is no number")
    return Scored(float(score), own.get("truncated") is True, query_truncated, parts)


def _parts(own: Json) -> dict[str, float]:
    said = own.get("parts")
    return {str(name): float(score) for name, score in said.items()} if isinstance(said, dict) else {}


def _own(part: object) -> Json:
    own = part.get("prorank") if isinstance(part, dict) else None
    return own if isinstance(own, dict) else {}
