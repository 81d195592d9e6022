"""A rerank request and its answer, the same for every shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi.responses import JSONResponse, Response

from prorank_search.serving.metrics import Metrics
from prorank_search.serving.respond import HUNG_UP, Asking
from prorank_search.serving.service import Answered, Service
from prorank_search.serving.shapes.shape import Shape
from prorank_search.serving.waiting import while_somebody_waits


async def rerank(asking: Asking, service: Service, metrics: Metrics, shape_of: Callable[[object], Shape]) -> Response:
    """Answer a request in the shape of its body.

    Args:
        asking: The request; it gets the name and the faults of that shape.
        service: Scores.
        metrics: Count the documents.
        shape_of: Which shape a body has.
    """
    body = await asking.body(service.settings)
    shape = shape_of(body)
    asking.shape, asking.fault = shape.name, shape.fault
    asked = await asyncio.to_thread(shape.read, body)
    outcome = await while_somebody_waits(asking.request, partial(service.answer, asked))
    if outcome is None:
        return Response(status_code=HUNG_UP)
    metrics.answered(outcome.answers)
    written = await asyncio.to_thread(shape.write, asked, outcome, asking.request.state.request_id)
    response = await asyncio.to_thread(JSONResponse, written)
    response.headers["X-ProRank-Status"] = _state(outcome)
    return response


def _state(outcome: Answered) -> str:
    return "ok" if all(answer.status.state == "ok" for answer in outcome.answers) else "partial"
