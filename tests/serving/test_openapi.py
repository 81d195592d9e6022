from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving.app import create_app
from prorank_search.serving.service import Service
from prorank_search.settings import Settings


def described() -> Any:  # noqa: ANN401 (schemathesis does not name the type)
    service = Service(Settings(keys="off", behind_proxy=True), OverlapRescorer)
    service.start()
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(service))


schema = described()


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_path_answers_as_it_is_described(case: schemathesis.Case[Any]) -> None:
    # What is well formed may still be refused, as an unknown model or an empty query is.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
