"""What an engine's error means: which of our errors it is, what the engine says, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prorank_search.errors import AuthError, EngineError, IndexNotFoundError, ProRankError, UnreachableError

_TOO_MANY = (
    "the query has more different words, times the fields they are looked for in, than the engine takes: shorten it, "
    "search fewer fields, or raise `indices.query.bool.max_clause_count` in the engine"
)
_ADVICE_BY_TYPE = {
    "search_phase_execution_exception": "shards of it do not answer; `GET _cluster/health` shows whether it is red",
    "no_shard_available_action_exception": "shards of it do not answer; `GET _cluster/health` shows whether it is red",
    "cluster_block_exception": "the index or the cluster is blocked, often since a disk is nearly full: "
    "`GET INDEX/_settings` and `GET _cluster/settings` show blocks",
    "master_not_discovered_exception": "the cluster has no master: look at its log",
    "cluster_manager_not_discovered_exception": "the cluster has no manager: look at its log",
    "too_many_clauses": _TOO_MANY,
    "too_many_nested_clauses": _TOO_MANY,
    "media_type_header_exception": "client and server are of different major versions",
}
_ADVICE_BY_STATUS = {
    413: "the request is larger than the server's `http.max_content_length`: send less at once",
    429: "the server has more to do than it takes on: try again later, or send less at once",
    502: "a proxy in front of the engine has no answer from it",
    503: "the engine is not ready",
    504: "a proxy in front of the engine has no answer from it in time",
}


def error_of(status: int, body: object, request: str, where: str) -> ProRankError:
    """Return the error for an answer that is none of success.

    Args:
        status: The HTTP status.
        body: The answer's body: the engine's JSON, or whatever a proxy wrote.
        request: Method and path, for the message.
        where: The engine's address, for the message.

    Example:
        >>> error_of(404, {"error": {"type": "index_not_found_exception", "index": "x"}}, "GET /x", "http://e:9200")
        IndexNotFoundError("no index 'x' at http://e:9200: `prorank index list` names those that are there")
    """
    error_type, reason, index = told(body)
    if error_type == "index_not_found_exception":
        return IndexNotFoundError(f"no index {index!r} at {where}: `prorank index list` names those that are there")
    if status in (401, 403) and error_type != "cluster_block_exception":
        return _auth_error(status, reason, request, where)
    advice = _ADVICE_BY_TYPE.get(error_type) or _ADVICE_BY_STATUS.get(status)
    named = f" {error_type}" if error_type else ""
    message = f"{where} answered {status}{named} to {request}: {reason}{f' ({advice})' if advice else ''}"
    return EngineError(message, status=status, error_type=error_type, reason=reason)


def unreachable(
    where: Sequence[str], reason: str, *, timed_out_s: float | None = None, tls: bool = False
) -> UnreachableError:
    """Return the error for an engine that did not answer.

    Args:
        where: Its addresses.
        reason: What the client says.
        timed_out_s: The seconds that were waited, where the time was over.
        tls: Whether the encryption failed.
    """
    nodes = ", ".join(where)
    if timed_out_s is not None:
        return UnreachableError(
            f"{nodes} took the request and did not answer within {timed_out_s:g} s: the server may be overloaded, or "
            "the query slow; PRORANK_ENGINE_TIMEOUT_S gives it more time",
            timed_out=True,
        )
    if tls or "CERTIFICATE_VERIFY_FAILED" in reason:
        advice = "PRORANK_ENGINE_CA_CERTS names the certificates that are trusted; http:// where it has no encryption"
        return UnreachableError(f"no secure connection to {nodes} ({_cut(reason)}): {advice}")
    return UnreachableError(
        f"nobody answers at {nodes} ({_cut(reason)}): is the engine running, and is this its address?"
    )


def told(body: object) -> tuple[str, str, str]:
    """Return an error's type, reason and index, as the engine tells them.

    Example:
        >>> told({"error": {"type": "outer", "reason": "all shards failed",
        ...                 "root_cause": [{"type": "query_shard_exception", "reason": "no field x", "index": "i"}]}})
        ('query_shard_exception', 'no field x', 'i')
        >>> told("<html>Bad gateway</html>")
        ('', '<html>Bad gateway</html>', '')
    """
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", _cut(str(error or "the answer is empty")), ""
    root = error.get("root_cause") or [error]
    cause = root[0] if isinstance(root[0], Mapping) else error
    inner = error.get("caused_by")
    reasons = [each.get("reason") for each in (cause, error, inner) if isinstance(each, Mapping)]
    telling = [str(each) for each in reasons if each and each != "all shards failed"]
    reason = ": ".join(dict.fromkeys(telling)) or str(reasons[0] or error)
    return str(cause.get("type", "")), _cut(reason), str(cause.get("index") or cause.get("resource.id") or "")


def _auth_error(status: int, reason: str, request: str, where: str) -> AuthError:
    if status == 401:  # noqa: PLR2004 (unauthorized)
        return AuthError(
            f"{where} does not accept the credentials (401: {reason}): give PRORANK_ENGINE_USERNAME and "
            "PRORANK_ENGINE_PASSWORD, or PRORANK_ENGINE_API_KEY"
        )
    advice = "searching needs `read` and `view_index_metadata` on the index"
    if request == "GET /":
        advice = "or say which engine it is, with --backend opensearch or --backend elasticsearch"
    return AuthError(
        f"{where} knows this user and does not allow {request} (403: {reason}): ask for a role that does; {advice}"
    )


def _cut(text: str, limit: int = 500) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
