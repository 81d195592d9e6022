"""What went wrong, in words that each shape can put into its own fault body. No document's text ever stands in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import ValidationError

from prorank_search.errors import (
    AuthError,
    BackendError,
    IndexNotFoundError,
    InputError,
    NothingToScoreError,
    NotReadyError,
    OverloadedError,
    ProRankError,
    RescorerError,
    TooLargeError,
    TooSlowError,
    UnknownModelError,
)

_STATUS: tuple[tuple[type[ProRankError], int], ...] = (
    (TooLargeError, 413),
    (TooSlowError, 408),
    (UnknownModelError, 404),
    (IndexNotFoundError, 404),
    (InputError, 400),
    (AuthError, 401),
    (BackendError, 502),
    (OverloadedError, 429),
    (RescorerError, 500),
    (NotReadyError, 503),
)

_TOO_SLOW = 408
_LOADING_RETRY_S = 2.0
_MOST_COMPLAINTS = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that was not answered.

    Attributes:
        status: The HTTP status; a shape may have another for the same.
        message: What failed, and what to do.
        retry_after_s: When to try again, where that may help.
        empty: There was nothing to score, for which a shape may have words of its own.
    """

    status: int
    message: str
    retry_after_s: float | None = None
    empty: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        if self.status == _TOO_SLOW:
            return {"Connection": "close"}  # the rest of the request may still come
        return {} if self.retry_after_s is None else {"Retry-After": str(math.ceil(self.retry_after_s))}


def fault_of(error: Exception) -> Fault:
    """Tell an error that was raised on purpose in words; of any other, only that it is a bug of ours.

    Example:
        >>> fault_of(InputError("the query is empty")).status, fault_of(ZeroDivisionError("secret")).message
        (400, 'internal error: the log of the service tells more')
    """
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if isinstance(error, OverloadedError):
        return Fault(status, str(error), error.retry_after_s)
    if isinstance(error, NotReadyError):
        return Fault(status, str(error), _LOADING_RETRY_S)
    if isinstance(error, InputError | AuthError | BackendError):
        return Fault(status, str(error), empty=isinstance(error, NothingToScoreError))
    if isinstance(error, RescorerError):
        return Fault(status, "the model failed: the log of the service tells more")
    return Fault(500, "internal error: the log of the service tells more")


def engine_fault_body(status: int, kind: str, reason: str, **more: object) -> dict[str, object]:
    """Return a fault's body as OpenSearch and Elasticsearch write it.

    Example:
        >>> engine_fault_body(400, "illegal_argument_exception", "no")["status"]
        400
    """
    cause = {"type": kind, "reason": reason, **more}
    return {"error": {"root_cause": [cause], **cause}, "status": status}


def explain(error: ValidationError) -> str:
    """Return what is wrong with a body: where, and what should stand there; never what stands there."""
    complaints: dict[str, None] = {}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        unknown = problem["type"] == "extra_forbidden"  # its place is a key that the caller made up
        place = ".".join(map(str, problem["loc"][:-1] if unknown else problem["loc"]))
        complaints[f"{place or 'body'}: {'it has an unknown key' if unknown else problem['msg']}"] = None
    return "; ".join(list(complaints)[:_MOST_COMPLAINTS])
