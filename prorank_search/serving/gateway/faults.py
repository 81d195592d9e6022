"""What went wrong in the gateway, as both engines write it. An engine's own faults pass unchanged."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from prorank_search.errors import (
    AnswerTooLargeError,
    InputError,
    NotReadyError,
    OverloadedError,
    RescorerError,
    TooLargeError,
    TooSlowError,
    UnknownModelError,
    UnreachableError,
)
from prorank_search.serving.faults import Fault, engine_fault_body, fault_of
from prorank_search.serving.logs import log_error
from prorank_search.serving.upstream import EngineAnswer

_LOG = logging.getLogger(__name__)

_TYPES: tuple[tuple[type[Exception], str], ...] = (
    (TooLargeError, "content_too_long_exception"),
    (AnswerTooLargeError, "content_too_long_exception"),
    (TooSlowError, "receive_timeout_exception"),
    (UnknownModelError, "resource_not_found_exception"),
    (InputError, "illegal_argument_exception"),
    (OverloadedError, "rejected_execution_exception"),
    (RescorerError, "rescorer_exception"),
    (NotReadyError, "rescorer_not_ready_exception"),
)
_NOT_LISTED = (
    "this method and path are not on the gateway's list of reads: send them to the engine itself, "
    "or let all pass with the setting gateway_writes"
)


class EngineFaultError(Exception):
    """The engine answered a question of ours with a fault, which is for its caller to see.

    Attributes:
        answer: The fault.
    """

    def __init__(self, answer: EngineAnswer) -> None:
        """Take the fault."""
        super().__init__(f"the engine answered {answer.status}")
        self.answer = answer


def fault_answer(error: Exception) -> EngineAnswer:
    """Return the answer that an error becomes."""
    if isinstance(error, EngineFaultError):
        return error.answer
    status, body, headers = told(error)
    return _answer(status, body, headers)


def not_listed() -> EngineAnswer:
    """Return the answer to what may not pass."""
    return _answer(403, engine_fault_body(403, "security_exception", _NOT_LISTED), {})


def told(error: Exception) -> tuple[int, dict[str, object], dict[str, str]]:
    """Return an error's status, body and headers, and log what only the log may know."""
    if isinstance(error, UnreachableError):
        _LOG.error("%s", error)
        status, kind = (504, "timeout_exception") if error.timed_out else (502, "connect_exception")
        reason = "did not answer in time" if error.timed_out else "cannot be reached"
        fault = Fault(status, f"the engine behind the gateway {reason}: the log of the service tells more")
    else:
        log_error(error)
        fault = fault_of(error)
        kind = next((kind for of_type, kind in _TYPES if isinstance(error, of_type)), "gateway_exception")
    return fault.status, engine_fault_body(fault.status, kind, fault.message), fault.headers


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> EngineAnswer:
    return EngineAnswer(status, {"content-type": "application/json", **headers}, json.dumps(body).encode())
