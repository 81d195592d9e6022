"""What of an engine's API passes through the gateway: the list of reads, and which headers go along."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

RESERVED = (
    "/v1",
    "/v2",
    "/rerank",
    "/score",
    "/health",
    "/ready",
    "/metrics",
    "/info",
    "/openapi.json",
    "/_prorank",
)
"""Paths that are the service's own, unless a prefix moves the gateway away from them."""

_READS = """
GET HEAD        /
GET HEAD        /INDEX
GET POST        /_search  /INDEX/_search  /_msearch  /INDEX/_msearch
GET POST        /_search/template  /INDEX/_search/template  /_msearch/template  /INDEX/_msearch/template
GET POST        /_render/template  /_render/template/ANY
GET POST        /_count  /INDEX/_count  /_mget  /INDEX/_mget
GET HEAD        /INDEX/_doc/ANY  /INDEX/_source/ANY
GET POST        /INDEX/_explain/ANY  /INDEX/_termvectors  /INDEX/_termvectors/ANY  /_mtermvectors  /INDEX/_mtermvectors
GET POST        /_field_caps  /INDEX/_field_caps  /_validate/query  /INDEX/_validate/query  /INDEX/_terms_enum
GET POST        /_analyze  /INDEX/_analyze  /_rank_eval  /INDEX/_rank_eval  /_search_shards  /INDEX/_search_shards
GET POST DELETE /_search/scroll  /_search/scroll/ANY
POST DELETE     /INDEX/_pit  /_pit
POST            /INDEX/_search/point_in_time
DELETE          /_search/point_in_time
GET HEAD        /_alias  /_alias/ANY  /INDEX/_alias  /INDEX/_alias/ANY  /_aliases  /INDEX/_aliases
GET             /_mapping  /INDEX/_mapping  /INDEX/_mapping/field/ANY  /_settings  /INDEX/_settings
GET             /INDEX/_settings/ANY
GET             /_stats  /INDEX/_stats  /_stats/ANY  /INDEX/_stats/ANY  /_resolve/index/ANY
GET             /_cat  /_cat/ANY  /_cat/ANY/ANY
GET             /_cluster/health  /_cluster/health/ANY  /_cluster/settings  /_cluster/stats  /_nodes  /_nodes/ANY
GET             /_license  /_xpack  /_plugins/_security/authinfo  /_security/_authenticate
"""
"""Methods and paths; INDEX is what does not begin with an underscore, or `_all`; ANY is one part of a path."""

_PART = {"INDEX": r"(?:[^_/][^/]*|_all)", "ANY": r"[^/]+"}
_NOT_FORWARDED = frozenset(
    {"host", "content-length", "accept-encoding", "expect", "x-prorank-key"}
    | {"connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
_NOT_WHO = re.compile(
    r"accept.*|content-.*|user-agent|cache-control|pragma|via|referer|origin|dnt|priority|sec-.*"
    r"|x-(opaque|request|correlation)-id|x-elastic-client-meta|.*trace.*|baggage|x-b3-.*|x-datadog-.*"
)
"""Headers that say nothing of who asks."""
_DOTS = {".", ".."}
_ALL = re.compile(r"(?<![\w-])_all(?![\w-])|[^\t\n\r !-\[\]-~]")
"""`_all` for a name, or what it could be hidden behind: a backslash, or characters that no id has."""

_NOT_IN_A_PATH = re.compile(r"[^!-~]|[#?\\]")
"""What ends a path, or is read in different ways, where it stands without an escape."""


def parts_of(raw_path: str) -> list[str] | None:
    """Return the decoded parts of a path; None where it is one that servers read in different ways.

    Example:
        >>> parts_of("/logs-%7Bd%2FM%7D/_search/"), parts_of("/books/../_bulk"), parts_of("/books#/_pit")
        (['logs-{d/M}', '_search'], None, None)
    """
    if _NOT_IN_A_PATH.search(raw_path):
        return None
    stripped = raw_path.strip("/") if not raw_path.startswith("//") else raw_path
    parts = [unquote(part) for part in stripped.split("/")] if stripped else []
    return None if any(not part or "\x00" in part or _DOTS & set(part.split("/")) for part in parts) else parts


def is_read(method: str, parts: Sequence[str]) -> bool:
    """Return whether a request is on the list of reads.

    Example:
        >>> is_read("GET", ["books", "_search"]), is_read("POST", ["books", "_doc"]), is_read("GET", ["_refresh"])
        (True, False, False)
    """
    path = "/" + "/".join(part.replace("/", "\x00") for part in parts)
    return any(pattern.fullmatch(path) for pattern in _PATTERNS.get(method, ()))


def is_repeatable(parts: Sequence[str]) -> bool:
    """Return whether a read may be sent twice: a scroll goes on with each request, and would leave out hits.

    Example:
        >>> is_repeatable(["books", "_search"]), is_repeatable(["_search", "scroll"])
        (True, False)
    """
    return tuple(parts[:2]) != ("_search", "scroll")


def ends_all(parts: Sequence[str], query: str, body: str | None) -> bool:
    """Return whether the end of a scroll or point in time may be that of everybody's, as its address or body says.

    Example:
        >>> ends_all(["_search", "scroll", "_all"], "", ""), ends_all(["_search", "scroll"], "", "{}")
        (True, False)
        >>> ends_all(["_search", "point_in_time"], "", '{"pit_id": ["_all"]}'), ends_all(["_pit"], "", None)  # no JSON
        (True, True)
    """
    return any(text is None or _ALL.search(text) for text in (*parts[2:], unquote(query), body))


def who(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that may tell the engine who asks: any that is not known to say something else.

    Example:
        >>> who({"authorization": "a", "es-security-runas-user": "eve", "accept": "*/*", "x-opaque-id": "7"})
        {'authorization': 'a', 'es-security-runas-user': 'eve'}
    """
    return {name: value for name, value in headers.items() if not _NOT_WHO.fullmatch(name)}


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that go to the engine: all but the connection's own, and our key.

    Example:
        >>> forwarded({"host": "x", "authorization": "a", "connection": "close, x-hop", "x-hop": "1"})
        {'authorization': 'a'}
    """
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in _NOT_FORWARDED | named}


def _patterns() -> dict[str, list[re.Pattern[str]]]:
    patterns: dict[str, list[re.Pattern[str]]] = {}
    for line in _READS.strip().splitlines():
        methods = [word for word in line.split() if not word.startswith("/")]
        paths = [word for word in line.split() if word.startswith("/")]
        for method in methods:
            patterns.setdefault(method, []).extend(_pattern(path) for path in paths)
    return patterns


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub("INDEX|ANY", lambda word: _PART[word.group()], path), re.DOTALL)


_PATTERNS = _patterns()
