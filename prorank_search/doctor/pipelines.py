"""What an engine has that asks a rerank service: OpenSearch's search pipelines, Elasticsearch's inference endpoints."""

from __future__ import annotations

from typing import Any

from prorank_search.backends.engines.connection import Engine
from prorank_search.backends.engines.search import EngineSearch
from prorank_search.doctor.check import Finding, Installation
from prorank_search.errors import AuthError, EngineError
from prorank_search.search import load_backend

_ABSENT = (400, 404, 405)
_ASKED = {"query_text": "red fox", "text_docs": ["A red fox.", "A blue hen."]}
_NONE = Finding(
    "skipped", "the engine asks no rerank service by itself", "prorank provision registers one; see its docs"
)


def pipeline(installation: Installation) -> Finding:
    """Look at each of them, and on OpenSearch get scores through it."""
    backend = load_backend(installation.settings)
    if not isinstance(backend, EngineSearch):
        return Finding("skipped", "the embedded index has no pipelines")
    if backend.engine.name == "elasticsearch":
        return _endpoints(backend.engine)
    models = _models(backend.engine)
    if not models:
        return _NONE
    faults = {name: fault for name, model_id in models.items() if (fault := _fault(backend.engine, model_id))}
    if faults:
        told = "; ".join(f"search pipeline {name!r}: {fault}" for name, fault in faults.items())
        return Finding("fail", told, "does its service run? prorank provision opensearch makes it anew after --undo")
    return Finding("ok", f"search pipelines that rescore, and get scores: {', '.join(models)}")


def _models(engine: Engine) -> dict[str, str]:
    """Return the model of each search pipeline that has a rerank processor."""
    found = _read(engine, "/_search/pipeline")
    return {
        name: processor["rerank"]["ml_opensearch"]["model_id"]
        for name, body in found.items()
        for processor in body.get("response_processors", [])
        if "ml_opensearch" in processor.get("rerank", {})
    }


def _fault(engine: Engine, model_id: str) -> str:
    """Return what hinders a model; empty: nothing. The call is the one that the rerank processor makes."""
    try:
        engine.request("POST", f"/_plugins/_ml/_predict/text_similarity/{model_id}", _ASKED, attempts=1)
    except AuthError:
        return "its service takes no such key, or the cluster lets this user ask no model"
    except EngineError as error:
        return error.reason
    return ""


def _endpoints(engine: Engine) -> Finding:
    names = [endpoint["inference_id"] for endpoint in _read(engine, "/_inference/rerank/_all").get("endpoints", [])]
    ours = [name for name in names if not name.startswith(".")]
    return Finding("ok", f"rerank endpoints, not asked: {', '.join(ours)}") if ours else _NONE


def _read(engine: Engine, path: str) -> dict[str, Any]:
    """Return what an engine says; nothing where it has no such thing."""
    try:
        found: dict[str, Any] = engine.request("GET", path)
    except EngineError as error:
        if error.status in _ABSENT:
            return {}
        raise
    return found
