"""What a `prorank serve` answers, read into the library's own objects.

Pure. What is no such answer raises `KeyError`, `TypeError` or `ValueError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from prorank_search.protocols import IndexInfo
from prorank_search.types import (
    Blend,
    Document,
    Query,
    RescoredHit,
    RescorerInfo,
    Scored,
    SearchResult,
    Status,
)

_INFO = TypeAdapter(RescorerInfo)
_INDEX_KEYS = frozenset(field.name for field in fields(IndexInfo))
_STATUS_KEYS = frozenset(field.name for field in fields(Status))


def indexes_in(answer: Any) -> list[IndexInfo]:  # noqa: ANN401 (JSON)
    """Read `/v1/indexes`."""
    return [IndexInfo(**{key: row[key] for key in _INDEX_KEYS & row.keys()}) for row in answer["indexes"]]


def models_in(answer: Any) -> list[str]:  # noqa: ANN401 (JSON)
    """Read `/v1/models`."""
    return [str(row["id"]) for row in answer["data"]]


def info_in(answer: Any) -> RescorerInfo:  # noqa: ANN401 (JSON)
    """Read what a model says of itself at `/info`."""
    return _INFO.validate_python(answer["prorank"]["rescorer"])


def result_in(answer: Any) -> SearchResult:  # noqa: ANN401 (JSON)
    """Read `/v1/search`: the inverse of `SearchResult.to_json`."""
    status = {key: answer["status"][key] for key in _STATUS_KEYS & answer["status"].keys()}
    if status["blend"] is not None:
        status["blend"] = Blend(**status["blend"])
    took = {stage: float(answer["took_ms"][stage]) for stage in ("first_stage", "rescore", "total")}
    return SearchResult(Query("", str(answer["query"])), tuple(map(_hit, answer["hits"])), Status(**status), took)


def scores_in(answer: Any) -> list[Scored]:  # noqa: ANN401 (JSON)
    """Read `/v1/score`."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    return [Scored(row["prorank"]["score"], bool(row["prorank"]["truncated"])) for row in rows]


def _hit(row: Mapping[str, Any]) -> RescoredHit:
    offsets = row["passage_offsets"]
    document = Document(
        doc_id=str(row["doc_id"]),
        text=str(row["text"]),
        title=str(row["title"]),
        metadata=dict(row["metadata"]),
        parent_id=row["parent_id"],
        passage_offsets=None if offsets is None else (int(offsets[0]), int(offsets[1])),
    )
    return RescoredHit(
        document=document,
        score=float(row["score"]),
        rank=int(row["rank"]),
        first_stage_rank=int(row["first_stage_rank"]),
        first_stage_score=float(row["first_stage_score"]),
        rescore_score=row["rescore_score"],
        probability=row["probability"],
        truncated=bool(row["truncated"]),
        passage=row["passage"],
        passage_rank=row["passage_rank"],
        highlights=tuple(map(str, row["highlights"])),
        parts=dict(row["parts"]),
    )
