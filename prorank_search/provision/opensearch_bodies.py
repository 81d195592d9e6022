"""What is put into OpenSearch: connector, model group, model and search pipeline, as JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Body = dict[str, object]

MARK = "Made by prorank provision"
"""How the description of everything that is ours begins; ml-commons takes few signs in one."""
KEY = "remote_api_key"
"""The service's key, as a placeholder."""

_NO_KEY = "none"
"""ml-commons makes no connector without a credential."""
_CONNECT_S = 5
_SLACK_S = 5
"""Seconds that the cluster waits longer than the service takes at most."""
_CONNECTIONS = 30

_PRE_PROCESS = r"""
String quoted(String text) {
  return "\"" + text.replace("$", "\\u0024") + "\"";
}
StringBuilder texts = new StringBuilder();
for (def text : params.text_docs) {
  texts.append(texts.length() == 0 ? "" : ",").append(quoted(text));
}
String body = "{\"query\":" + quoted(params.query_text) + ",\"documents\":[" + texts + "],\"prorank\":{TIMEOUT}}";
return "{\"parameters\":{\"body\":\"" + body.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}}";
""".strip()
"""Writes the request to the service, of texts that ml-commons has escaped for JSON already.

Its own function for Cohere leaves a query that is itself JSON, such as `["x"]`, unescaped, and takes `${parameters.x}`
in a text for a placeholder. So the whole body is written here, as one parameter, and a dollar sign goes as its code.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be there.

    Attributes:
        name: Of the search pipeline, and of all that it needs.
        url: The rerank API, in Cohere's shape.
        with_key: Whether the service wants a key.
        fields: Fields of a document that make its text.
        sample_factor: How many times the page's size is fetched and rescored.
        timeout_s: Seconds that the service may take; what is not scored by then comes last.
        on_failure: `keep` answers in the first stage's order when the service fails, `error` fails the search.
    """

    name: str
    url: str
    with_key: bool = False
    fields: Sequence[str] = ("title", "text")
    sample_factor: float = 3.0
    timeout_s: float = 10.0
    on_failure: Literal["keep", "error"] = "keep"

    @property
    def description(self) -> str:
        """What stands in the description of all that belongs to the pipeline."""
        return f"{MARK} for the search pipeline {self.name!r}"


def connector(wanted: Wanted) -> Body:
    """Return the connector: how the cluster asks the service."""
    headers = {"Authorization": "Bearer ${credential.api_key}"} if wanted.with_key else {}
    return {
        "name": wanted.name,
        "description": wanted.description,
        "version": "1",
        "protocol": "http",
        "credential": {"api_key": f"<{KEY}>" if wanted.with_key else _NO_KEY},
        "client_config": {
            "max_connection": _CONNECTIONS,
            "connection_timeout": _CONNECT_S,
            "read_timeout": math.ceil(wanted.timeout_s) + _SLACK_S,
            "max_retry_times": 0,
        },
        "actions": [
            {
                "action_type": "predict",
                "method": "POST",
                "url": wanted.url,
                "headers": headers,
                "request_body": "${parameters.body}",
                "pre_process_function": _PRE_PROCESS.replace("TIMEOUT", f'\\"timeout_s\\":{wanted.timeout_s}'),
                "post_process_function": "connector.post_process.cohere.rerank",
            }
        ],
    }


def same_connector(found: Mapping[str, object], wanted: Wanted) -> bool:
    """Tell whether a connector that a cluster has is the one that is wanted; its key is not told by any cluster."""
    ours = connector(wanted)
    config = found.get("client_config")
    actions = [{**each, "action_type": str(each["action_type"]).lower()} for each in _objects(found.get("actions"))]
    return (
        actions == ours["actions"]
        and isinstance(config, Mapping)
        and all(config.get(key) == value for key, value in _object(ours["client_config"]).items())
    )


def model_group(wanted: Wanted) -> Body:
    """Return the group that the model is in: made by us, since one that a cluster makes by itself is never deleted."""
    return {"name": wanted.name, "description": wanted.description}


def model(wanted: Wanted) -> Body:
    """Return the model: what search pipelines call a connector."""
    return {
        "name": wanted.name,
        "function_name": "remote",
        "description": wanted.description,
        "model_group_id": "<model_group_id>",
        "connector_id": "<connector_id>",
    }


def pipeline(wanted: Wanted, *, oversample: bool) -> Body:
    """Return the search pipeline.

    Args:
        wanted: What it does.
        oversample: Whether the cluster can fetch more than the page that is asked for.
    """
    rerank = {
        "ml_opensearch": {"model_id": "<model_id>"},
        "context": {"document_fields": list(wanted.fields)},
        "ignore_failure": wanted.on_failure == "keep",
    }
    described = {"description": wanted.description}
    if not oversample:
        return {**described, "response_processors": [{"rerank": rerank}]}
    return {
        **described,
        "request_processors": [{"oversample": {"sample_factor": wanted.sample_factor}}],
        "response_processors": [{"rerank": rerank}, {"truncate_hits": {}}],
    }


def search_example(fields: Sequence[str]) -> Body:
    """Return the body of a search that the pipeline rescores."""
    query = {"multi_match": {"query": "WORDS", "fields": list(fields), "type": "most_fields"}}
    path = "query.multi_match.query"
    return {"query": query, "ext": {"rerank": {"query_context": {"query_text_path": path}}}}


def _objects(value: object) -> list[dict[str, object]]:
    return list(value) if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
