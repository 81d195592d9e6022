"""Elasticsearch: reads its licence first, and plans an inference endpoint for its own rerank retriever.

Held against what Elastic's documentation says and no server: Elastic's inference module is not among the artifacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prorank_search.backends.engines.connection import Engine, path
from prorank_search.errors import ConfigError, EngineError
from prorank_search.provision.plan import Call, Plan, Step

Kind = Literal["custom", "hugging_face"]
"""The inference services of Elasticsearch that take an address of one's own."""

KEY = "remote_api_key"
"""The service's key, as a placeholder."""
RERANK_PATH: Mapping[Kind, str] = {"custom": "/v2/rerank", "hugging_face": "/rerank"}
"""What each asks of the service: Cohere's shape, or that of text-embeddings-inference."""
WINDOW_SIZE = 30

_MARK = {"X-ProRank-Made-By": "prorank provision"}
_OLDEST = {8: (8, 19), 9: (9, 1)}
_LICENCES = ("enterprise", "trial")
_ABSENT = (400, 404, 405)
_NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The endpoint that is to be there.

    Attributes:
        name: Its `inference_id`.
        url: The rerank API: Cohere's shape for `custom`, that of text-embeddings-inference for `hugging_face`.
        kind: Elasticsearch's inference service.
        with_key: Whether the service wants a key.
        timeout_s: Seconds that the service may take; what is not scored by then comes last. Only `custom` can say it.
    """

    name: str
    url: str
    kind: Kind = "custom"
    with_key: bool = False
    timeout_s: float = 10.0


def read(engine: Engine, name: str) -> Mapping[str, Any] | None:
    """Return the rerank endpoint of a name, None where there is none; sends nothing but reads.

    Raises:
        ConfigError: The cluster is too old.
    """
    numbers = tuple(int(part) for part in engine.version.split(".")[:2] if part.isdecimal())
    if numbers and numbers < _OLDEST.get(numbers[0], numbers):
        raise ConfigError(
            f"Elasticsearch {engine.version} at {engine.where} cannot ask a service of one's own for reranking, which "
            f"8.19 and 9.1 can: {_GATEWAY}"
        )
    try:
        found = engine.request("GET", "/_inference/rerank" + path(name))["endpoints"]
    except EngineError as error:
        if error.status in _ABSENT:
            return None
        raise
    return next((endpoint for endpoint in found if endpoint.get("inference_id") == name), None)


def check_licence(engine: Engine) -> None:
    """See that the cluster's licence allows a rerank service of one's own.

    Raises:
        ConfigError: It does not.
    """
    try:
        licence = engine.request("GET", "/_license")["license"]
    except EngineError as error:
        if error.status not in _ABSENT:
            raise
        raise ConfigError(
            f"{engine.where} tells no licence, so it has no inference of Elastic's: {_GATEWAY}"
        ) from error
    kind, status = licence.get("type"), licence.get("status")
    if kind not in _LICENCES or status != "active":
        raise ConfigError(
            f"{engine.where} has the licence {kind!r} ({status}): rerank services of one's own need 'enterprise' or "
            f"'trial'; {_GATEWAY}"
        )


def plan(found: Mapping[str, Any] | None, wanted: Wanted) -> Plan:
    """Return what there is and what is to be made. Pure.

    Raises:
        ConfigError: An endpoint of somebody else has the name, or ours asks another address.
    """
    if found is not None and not _is_ours(found, wanted):
        raise ConfigError(
            f"the inference endpoint {wanted.name!r} was made by somebody else, or asks another address: choose "
            "another name with --pipeline"
        )
    where = "/_inference/rerank" + path(wanted.name)
    step = Step(
        f"inference endpoint {wanted.name!r}",
        found is not None,
        Call("PUT", where, body(wanted)),
        Call("DELETE", where),
    )
    return Plan((step,))


def body(wanted: Wanted) -> dict[str, object]:
    """Return what the endpoint is made of."""
    key = f"<{KEY}>" if wanted.with_key else _NO_KEY
    if wanted.kind == "hugging_face":
        settings = {"api_key": key, "url": wanted.url}
        return {"service": wanted.kind, "service_settings": settings, "task_settings": {"return_documents": False}}
    authorization = {"Authorization": "Bearer ${api_key}"} if wanted.with_key else {}
    timeout = f'"prorank":{{"timeout_s":{wanted.timeout_s}}}'
    return {
        "service": wanted.kind,
        "service_settings": {
            "secret_parameters": {"api_key": key},
            "url": wanted.url,
            "headers": {"Content-Type": "application/json", **authorization, **_MARK},
            "request": f'{{"query":${{query}},"documents":${{input}},{timeout}}}',
            "response": {
                "json_parser": {
                    "reranked_index": "$.results[*].index",
                    "relevance_score": "$.results[*].relevance_score",
                }
            },
        },
    }


def search_example(name: str, field: str) -> dict[str, object]:
    """Return the body of a search that the endpoint reranks."""
    return {
        "retriever": {
            "text_similarity_reranker": {
                "retriever": {"standard": {"query": {"match": {field: "WORDS"}}}},
                "field": field,
                "inference_id": name,
                "inference_text": "WORDS",
                "rank_window_size": WINDOW_SIZE,
            }
        }
    }


def _is_ours(found: Mapping[str, Any], wanted: Wanted) -> bool:
    settings = found.get("service_settings", {})
    if found.get("service") != wanted.kind or settings.get("url") != wanted.url:
        return False
    return wanted.kind == "hugging_face" or _MARK.items() <= settings.get("headers", {}).items()


_GATEWAY = "put the gateway before it, which needs no licence (prorank serve --backend elasticsearch --url ADDRESS)"
