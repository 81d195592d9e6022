"""What went wrong, as OpenSearch says it: `{"error": {"root_cause": [...], "type", "reason"}, "status"}`."""

from __future__ import annotations

import logging

from prorank_search.errors import BackendError, IndexNotFoundError, InputError, ProRankError
from prorank_search.serving.embedded.calls import BadParameterError, Reply
from prorank_search.serving.faults import engine_fault_body

_log = logging.getLogger(__name__)

_SHOWN = 200
"""Characters of a path that a fault repeats."""


class NoSuchIndexError(IndexNotFoundError):
    """An index that a request names and that is not there.

    Attributes:
        index: Its name.
    """

    def __init__(self, index: str) -> None:
        """Take the name."""
        super().__init__(f"no such index [{index[:_SHOWN]}]")
        self.index = index[:_SHOWN]


def fault_reply(status: int, kind: str, reason: str, **more: object) -> Reply:
    """Return a fault of that status and type."""
    return Reply(engine_fault_body(status, kind, reason, **more), status)


def reply_of(error: ProRankError) -> Reply:
    """Return the fault of an error that was raised on purpose.

    Raises:
        ProRankError: An error of another kind.
    """
    if isinstance(error, NoSuchIndexError):
        return _no_such_index(error.index)
    if isinstance(error, IndexNotFoundError):
        return fault_reply(404, "index_not_found_exception", "the index was deleted meanwhile")
    if isinstance(error, BadParameterError):
        return fault_reply(400, "illegal_argument_exception", str(error))
    if isinstance(error, InputError):
        return fault_reply(400, "parsing_exception", str(error))
    if isinstance(error, BackendError):
        _log.error("the embedded index failed: %s", error)
        return fault_reply(
            503, "no_shard_available_action_exception", "the index cannot be read: the log of the service tells more"
        )
    raise error


def read_only(method: str, path: str) -> Reply:
    """Return the fault of a write."""
    return fault_reply(
        403,
        "cluster_block_exception",
        f"[{method} {path[:_SHOWN]}] blocked by: [FORBIDDEN/8/index write (api)]: embedded indexes are only read here; "
        "`prorank ingest` and `prorank index` write them",
    )


def wrong_method(method: str, path: str, allowed: list[str]) -> Reply:
    """Return the fault of a known path that was asked with another method."""
    reason = f"Incorrect HTTP method for uri [{path[:_SHOWN]}] and method [{method}], allowed: [{', '.join(allowed)}]"
    return Reply({"error": reason, "status": 405}, 405)


def no_handler(method: str, path: str, known: str) -> Reply:
    """Return the fault of a path that the embedded index does not answer."""
    reason = f"no handler found for uri [{path[:_SHOWN]}] and method [{method}]: the embedded index answers {known}"
    return fault_reply(400, "illegal_argument_exception", reason)


def _no_such_index(index: str) -> Reply:
    more = {"index": index, "resource.id": index, "resource.type": "index_or_alias", "index_uuid": "_na_"}
    return fault_reply(404, "index_not_found_exception", f"no such index [{index}]", **more)
