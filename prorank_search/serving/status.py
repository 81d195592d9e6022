"""What the service tells of itself: health, readiness, metrics, and the model's name and limits."""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from prorank_search.errors import NotReadyError, UnknownModelError
from prorank_search.serving.faults import fault_of
from prorank_search.serving.metrics import CONTENT_TYPE, Metrics
from prorank_search.serving.service import Service
from prorank_search.serving.shapes import answered, score, tei

_METRICS_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


def router(service: Service, metrics: Metrics) -> APIRouter:
    """Return the routes that only tell, none of which waits for the model."""
    routes = APIRouter()
    began = int(time.time())

    @routes.get("/health", summary="Whether the process lives")
    async def health() -> dict[str, str]:
        return {"status": "ok", "state": service.state}

    @routes.get("/ready", summary="Whether requests are answered", responses={503: {"model": dict[str, str]}})
    async def ready() -> JSONResponse:
        return JSONResponse({"state": service.state}, 200 if service.state == "ready" else 503)

    @routes.get("/metrics", summary="For Prometheus", response_class=Response, responses=_METRICS_TEXT)
    async def prometheus() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @routes.get("/v1/models", summary="The models, as vLLM lists them", responses={503: {"model": answered.ErrorFault}})
    async def models() -> JSONResponse:
        try:
            names = service.model_names()
        except NotReadyError as error:
            status, body = score.fault(fault_of(error))
            return JSONResponse(body, status, fault_of(error).headers)
        listed = [{"id": name, "object": "model", "created": began, "owned_by": "prorank"} for name in names]
        return JSONResponse({"object": "list", "data": listed})

    @routes.get(
        "/info",
        summary="Model and limits, as text-embeddings-inference tells them",
        responses={404: {"model": answered.TeiFault}, 503: {"model": answered.TeiFault}},
    )
    async def info(model: str | None = None) -> JSONResponse:
        try:
            return JSONResponse(_info(service, model))
        except (NotReadyError, UnknownModelError) as error:
            status, body = tei.fault(fault_of(error))
            return JSONResponse(body, status, fault_of(error).headers)

    return routes


def _info(service: Service, model: str | None) -> dict[str, object]:
    rescorer = service.named(model)
    if rescorer is None:
        raise NotReadyError(f"the model {model!r} is loaded once it is asked for scores")
    return {
        "model_id": rescorer.info.model,
        "model_sha": rescorer.revision,
        "model_type": {"reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}},
        "max_client_batch_size": service.settings.max_texts,
        "auto_truncate": True,
        "prorank": {
            "version": version("prorank-search"),
            "rescorer": asdict(rescorer.info),
            "reason": rescorer.info.reason,
            "calibrated": rescorer.info.calibration is not None,
            "max_queued_tokens": service.admission.limit,
            "queued_tokens": service.admission.queued_tokens,
            "tokens_per_second": round(service.admission.tokens_a_second, 1),
            "models": service.model_names(),
            "loaded_models": list(service.loaded()),
        },
    }
