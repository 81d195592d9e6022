from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method
from starlette.types import ASGIApp, Receive, Scope, Send

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.app import create_app
from prorank_search.serving.service import Service
from prorank_search.settings import Settings
from tests.serving.ndjson import allow_lines


def described() -> Any:  # noqa: ANN401 (schemathesis does not name the type)
    allow_lines()
    service = Service(Settings(keys="off", behind_proxy=True), OverlapRescorer)
    service.start()
    return schemathesis.openapi.from_asgi("/openapi.json", without_end(create_app(service)))


def without_end(app: ASGIApp) -> ASGIApp:
    """Return an application that schemathesis does not close after each request."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for state in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{state}.complete"})

    return answer


schema = described()


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_path_answers_as_it_is_described(case: schemathesis.Case[Any]) -> None:
    # What is well formed may still be refused, as an unknown model or an empty query is.
    excluded: list[Any] = [positive_data_acceptance]
    if case.path.endswith("search") and not case.path.startswith("/v1"):
        excluded.append(unsupported_method)  # the gateway lets nothing but reads pass: 403, not 405
    case.call_and_validate(excluded_checks=excluded)
