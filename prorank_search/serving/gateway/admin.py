"""What an admin sees of the gateway, and its kill switch."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from prorank_search.errors import InputError
from prorank_search.serving.faults import Fault, explain, fault_of
from prorank_search.serving.gateway.breaker import BreakerState
from prorank_search.serving.gateway.search import SearchDesk
from prorank_search.serving.respond import read_body

PATH = "/_prorank/gateway"


class Rescoring(BaseModel):
    """The kill switch."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rescoring: bool


class GatewayState(BaseModel):
    """How the gateway is.

    Attributes:
        rescoring: Whether searches are rescored.
        breakers: The circuit breaker of each model that was asked for.
        orders: Orders that are kept for further pages.
    """

    rescoring: bool
    breakers: dict[str, BreakerState]
    orders: int


class AdminFault(BaseModel):
    """What is wrong with a request."""

    message: str


def router(desk: SearchDesk) -> APIRouter:
    """Return the admin's routes.

    Args:
        desk: What the gateway's searches share.
    """
    routes = APIRouter()

    @routes.get(PATH, summary="The gateway: whether it rescores, its circuit breakers, the orders it keeps")
    async def look() -> GatewayState:
        return _state(desk)

    @routes.put(
        PATH,
        summary="The kill switch: rescore, or let the engine's order stand",
        response_model=GatewayState,
        responses={status: {"model": AdminFault} for status in (400, 401, 403, 408, 413)},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Rescoring.model_json_schema()}},
            }
        },
    )
    async def switch(request: Request) -> JSONResponse:
        try:
            wanted = Rescoring.model_validate_json(await read_body(request, desk.settings))
        except ValidationError as error:
            return _refusal(Fault(400, explain(error)))
        except InputError as error:
            return _refusal(fault_of(error))
        desk.switch.on = wanted.rescoring
        return JSONResponse(_state(desk).model_dump())

    return routes


def fault(fault: Fault) -> tuple[int, dict[str, object]]:
    """Write a fault as these routes do."""
    return fault.status, {"message": fault.message}


def _refusal(refused: Fault) -> JSONResponse:
    status, body = fault(refused)
    return JSONResponse(body, status, refused.headers)


def _state(desk: SearchDesk) -> GatewayState:
    breakers = {name or "default": breaker.state for name, breaker in desk.scorer.breakers.items()}
    return GatewayState(rescoring=desk.switch.on, breakers=breakers, orders=len(desk.pages))
