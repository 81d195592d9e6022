"""The FastAPI application: each path, its shape, and what the OpenAPI description says of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from types import UnionType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from prorank_search.serving import search_api, status
from prorank_search.serving.access import Access
from prorank_search.serving.engine import open_upstream
from prorank_search.serving.gateway import admin, described
from prorank_search.serving.gateway import routes as gateway
from prorank_search.serving.gateway.request import Stage
from prorank_search.serving.keys import KeyRing
from prorank_search.serving.linger import Linger
from prorank_search.serving.metrics import Metrics
from prorank_search.serving.request_log import RequestLog
from prorank_search.serving.rerank_api import rerank
from prorank_search.serving.respond import Asking, respond
from prorank_search.serving.service import Service
from prorank_search.serving.shapes import answered, rerank_v1, rerank_v2, score, tei
from prorank_search.serving.shapes.shape import Shape

Model = type[BaseModel] | UnionType
_REFERENCE = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Route:
    """A path and what is spoken there.

    Attributes:
        path: Where.
        line: What is done there, for the OpenAPI description.
        shape: Its shape.
        bodies: What is read.
        answer: What is answered.
        fault: The body of its faults.
        statuses: Their HTTP statuses.
        with_texts: The shape of a body that has `texts`.
    """

    path: str
    line: str
    shape: Shape
    bodies: tuple[type[BaseModel], ...]
    answer: Model
    fault: Model
    statuses: tuple[int, ...] = (400, 401, 403, 404, 408, 413, 429, 500, 503)
    with_texts: Shape | None = None

    def shape_of(self, body: object) -> Shape:
        """Return the shape that a body has."""
        if self.with_texts is not None and isinstance(body, dict) and "texts" in body:
            return self.with_texts
        return self.shape


ROUTES = (
    Route(
        "/v1/rerank",
        "Rerank, as Cohere v1, Jina and vLLM do",
        rerank_v1.SHAPE,
        (rerank_v1.RerankV1Body,),
        answered.RerankV1Answer,
        answered.V1Fault,
    ),
    Route(
        "/v2/rerank",
        "Rerank, as Cohere v2 does",
        rerank_v2.SHAPE,
        (rerank_v2.RerankV2Body,),
        answered.RerankV2Answer,
        answered.MessageFault,
    ),
    Route(
        "/rerank",
        "Rerank, as text-embeddings-inference does with texts, and as /v1/rerank without",
        rerank_v1.SHAPE,
        (tei.TeiBody, rerank_v1.RerankV1Body),
        answered.TeiAnswer | answered.RerankV1Answer,
        answered.TeiFault | answered.V1Fault,
        (400, 401, 403, 404, 408, 413, 422, 424, 429, 500, 503),
        tei.SHAPE,
    ),
    Route(
        "/v1/score",
        "Score pairs, as vLLM does",
        score.SHAPE,
        (score.ScoreBody,),
        answered.ScoreAnswer,
        answered.ErrorFault,
    ),
    Route(
        "/score",
        "Score pairs, as vLLM does",
        score.SHAPE,
        (score.ScoreBody,),
        answered.ScoreAnswer,
        answered.ErrorFault,
    ),
)


def create_app(service: Service) -> FastAPI:
    """Make the application. Whoever runs it loads the model with `service.start`, and ends with `service.close`.

    Args:
        service: Scores.

    Raises:
        ConfigError: The file of keys, or the settings file's profiles, cannot be read.
    """
    app = FastAPI(
        title="ProRank Search",
        summary="A second stage over HTTP, in the shapes that rerank clients speak",
        version=version("prorank-search"),
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics(service)
    for route in ROUTES:
        _add(app, route, service, metrics)
    app.include_router(status.router(service, metrics))
    app.include_router(search_api.router(service, metrics))
    upstream = open_upstream(service.settings)
    if upstream is not None:
        app.include_router(gateway.router(service, metrics, upstream))  # takes what no other route takes
    app.add_middleware(Linger)
    app.add_middleware(
        Access,
        settings=service.settings,
        keys=KeyRing(service.settings.home),
        faults={route.path: route.shape.fault for route in ROUTES}
        | {"/info": tei.SHAPE.fault, admin.PATH: admin.fault},
        refused=metrics.refused,
    )
    app.add_middleware(RequestLog)  # the outermost
    description: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not description:
            description.update(_openapi(app))
            if upstream is not None:
                description["paths"] |= described.paths(service.settings.gateway_prefix)
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to add to the description
    return app


def _add(app: FastAPI, route: Route, service: Service, metrics: Metrics) -> None:
    answer = partial(rerank, service=service, metrics=metrics, shape_of=route.shape_of)

    async def endpoint(request: Request) -> Response:
        return await respond(Asking(request, route.shape.name, route.shape.fault), metrics, answer)

    references = [{"$ref": _REFERENCE.format(model=body.__name__)} for body in route.bodies]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    responses: dict[int | str, dict[str, Any]] = {200: {"model": route.answer}}
    responses |= {code: {"model": route.fault} for code in route.statuses}
    app.add_api_route(
        route.path,
        endpoint,
        methods=["POST"],
        summary=route.line,
        operation_id=route.path.strip("/").replace("/", "_"),
        responses=responses,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    )


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's description, with the bodies that our routes read by themselves."""
    description = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    bodies: set[type[BaseModel]] = {search_api.SearchBody, Stage, *(body for route in ROUTES for body in route.bodies)}
    models = [(body, "validation") for body in sorted(bodies, key=lambda body: body.__name__)]
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    description["components"]["schemas"] |= definitions["$defs"]
    return description
