"""What a service says of itself, as the checks of the page Status."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from prorank_search.doctor.installation import Checked
from prorank_search.errors import NotReadyError, ProRankError
from prorank_ui.clients import service_answers as answers
from prorank_ui.clients.service_calls import ServiceCalls
from prorank_ui.drawing.wording import count
from prorank_ui.status.checkup import Examined
from prorank_ui.status.service_metrics import requests_in

_SHOWN_INDEXES = 10


def examine(calls: ServiceCalls) -> Examined:
    """Ask a service how it is; what cannot be asked is a check that fails, with the reason.

    Args:
        calls: To the service.
    """
    began = time.monotonic()
    info: Mapping[str, Any] = {}

    def model() -> tuple[str, str]:
        nonlocal info
        info = _info(calls)
        own = info["prorank"]
        return f"{info['model_id']}, revision {info['model_sha']}", str(own.get("reason") or "")

    checks = [
        _checked("service", lambda: (_state(calls), "")),
        _checked("ready", lambda: (_ready(calls), "")),
        _checked("model", model),
        _checked("models", lambda: (", ".join(answers.models_in(calls.get("/v1/models"))), "")),
        _checked("indexes", lambda: _indexes(calls)),
        _checked("requests", lambda: requests_in(calls.text("/metrics"))),
    ]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Examined(tuple(checks), info, now, time.monotonic() - began)


def _checked(name: str, look: Callable[[], tuple[str, str]]) -> Checked:
    try:
        seen, beware = look()
    except NotReadyError as error:
        return Checked(name, "warn", "the model is still loading", str(error))
    except ProRankError as error:
        return Checked(name, "fail", str(error), "")
    return Checked(name, "warn" if beware else "ok", seen, beware)


def _state(calls: ServiceCalls) -> str:
    told = calls.get("/health")
    if not isinstance(told, dict) or "state" not in told:
        raise calls.not_ours("/health")
    return f"answers at {calls.url}; {told['state']}"


def _ready(calls: ServiceCalls) -> str:
    calls.get("/ready")
    return "requests are answered"


def _info(calls: ServiceCalls) -> Mapping[str, Any]:
    told = calls.get("/info")
    if not isinstance(told, dict) or not isinstance(told.get("prorank"), dict):
        raise calls.not_ours("/info")
    return told


def _indexes(calls: ServiceCalls) -> tuple[str, str]:
    found = answers.indexes_in(calls.get("/v1/indexes"))
    if not found:
        return (
            "none",
            "there is nothing to search: prorank ingest SOURCE --index NAME makes one, on the service's machine",
        )
    shown = ", ".join(f"{index.name} ({count(index.documents, 'document')})" for index in found[:_SHOWN_INDEXES])
    return f"{len(found):,}: {shown}{', …' if len(found) > _SHOWN_INDEXES else ''}", ""
