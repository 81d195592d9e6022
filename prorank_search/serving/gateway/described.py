"""What the OpenAPI description says of the gateway: searches that may be rescored; all else is the engine's own."""

from __future__ import annotations

from typing import Any

from prorank_search.serving.gateway.request import Stage

_OBJECT: dict[str, Any] = {"type": "object"}
_OURS: dict[str, Any] = {"$ref": f"#/components/schemas/{Stage.__name__}"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_MATCH: dict[str, Any] = {
    "type": "object",
    "properties": {"match": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}},
    "required": ["match"],
    "additionalProperties": False,
}
_BODY: dict[str, Any] = {
    "type": "object",
    "description": "The engine's own search body; its last rescore stage may be ours.",
    "properties": {
        "query": {"anyOf": [_MATCH, _OBJECT]},
        "from": _COUNT,
        "size": _COUNT,
        "_source": {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]},
        "rescore": {"anyOf": [_OURS, {"type": "array", "items": {"anyOf": [_OURS, _OBJECT]}}]},
    },
    "examples": [
        {
            "query": {"match": {"text": "how fast is a fox"}},
            "rescore": {"window_size": 50, "prorank": {"fields": ["title", "text"], "timeout_s": 2.0}},
        }
    ],
}
_LINES: dict[str, Any] = {
    "type": "string",
    "description": "For each search two lines of JSON: its header, such as {}, and its body.",
    "examples": ['{"index": "animals"}\n{"query": {"match": {"text": "fox"}}, "rescore": {"prorank": {}}}\n'],
}
_RESPONSES: dict[str, Any] = {
    "200": {
        "description": "The engine's own answer, the window reordered; it and its hits have a block prorank.",
        "content": {"application/json": {"schema": _OBJECT}},
    },
    "default": {
        "description": "The engine's own fault, or one of ours in its shape.",
        "content": {"application/json": {"schema": _OBJECT}},
    },
}
_INDEX: dict[str, Any] = {"name": "index", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def paths(prefix: str) -> dict[str, Any]:
    """Return the gateway's paths.

    Args:
        prefix: Where the gateway begins; empty: at the root.

    Example:
        >>> list(paths("/engine"))
        ['/engine/_search', '/engine/{index}/_search', '/engine/_msearch', '/engine/{index}/_msearch']
    """
    searches = [
        ("_search", "A search, rescored where it or its index's profile asks for that", "application/json", _BODY),
        ("_msearch", "Many searches, each rescored as one alone would be", "application/x-ndjson", _LINES),
    ]
    return {
        f"{prefix}/{place}{name}": {"post": _operation(f"{place.strip('{}/')}{name}", line, media, body, place)}
        for name, line, media, body in searches
        for place in ("", "{index}/")
    }


def _operation(name: str, line: str, media: str, body: dict[str, Any], place: str) -> dict[str, Any]:
    return {
        "summary": line,
        "operationId": f"gateway_{name}",
        "parameters": [_INDEX] if place else [],
        "requestBody": {"required": body is _LINES, "content": {media: {"schema": body}}},
        "responses": _RESPONSES,
    }
