"""OpenSearch: reads what a cluster has, and plans connector, model, deployment and search pipeline in it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prorank_search.backends.engines.connection import Engine, path
from prorank_search.errors import AuthError, BackendError, ConfigError, EngineError
from prorank_search.provision import cluster_settings, opensearch_bodies
from prorank_search.provision.opensearch_bodies import Wanted
from prorank_search.provision.plan import Call, Plan, Step, filled
from prorank_search.service_url import is_private, pattern_of

_OLDEST = (2, 12)
"""The first version with the rerank processor."""
_NEEDED_PLUGINS = {"opensearch-ml": "ml-commons", "opensearch-neural-search": "neural-search"}
_NO_OVERSAMPLE = (
    "this cluster's search pipelines have no oversample and truncate_hits (module search-pipeline-common): only the "
    "page that a search asks for is rescored, so ask for a larger size"
)
_DEPLOYED = "DEPLOYED"
_DEPLOYED_TIMEOUT_S, _PAUSE_S = 60.0, 0.1
_MOST = 1000
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster has, as far as it concerns a pipeline.

    Attributes:
        settings: Its settings.
        oversample: Whether its search pipelines can fetch more than the page that is asked for.
        connectors: Those that are ours, of this pipeline: id and content.
        models: The same.
        groups: Model groups of the pipeline's name, whoever made them: their names are unique.
        pipeline: The search pipeline of the name; None: there is none.
    """

    settings: cluster_settings.Settings
    oversample: bool
    connectors: Sequence[tuple[str, Mapping[str, Any]]]
    models: Sequence[tuple[str, Mapping[str, Any]]]
    groups: Sequence[tuple[str, Mapping[str, Any]]]
    pipeline: Mapping[str, Any] | None


def read(engine: Engine, name: str) -> Cluster:
    """Read a cluster; sends nothing but reads.

    Args:
        engine: An OpenSearch.
        name: Of the pipeline.

    Raises:
        ConfigError: It is too old, or lacks a plugin.
    """
    nodes = list(engine.request("GET", "/_nodes/plugins,search_pipelines")["nodes"].values())
    _check(engine, nodes)
    told = engine.request("GET", "/_cluster/settings", params={"include_defaults": True, "flat_settings": True})
    settings = cluster_settings.Settings(told["persistent"], told["transient"], told["defaults"])
    ours = Wanted(name, "").description
    return Cluster(
        settings,
        oversample=_can_oversample(nodes),
        connectors=_made_for(engine, "connectors", name, ours),
        models=[(model_id, _model(engine, model_id)) for model_id, _ in _made_for(engine, "models", name, ours)],
        groups=_made_for(engine, "model_groups", name),
        pipeline=_pipeline(engine, name),
    )


def plan(cluster: Cluster, wanted: Wanted) -> Plan:
    """Return what there is and what is to be made. Pure, but for a look at what the service's name stands for.

    Raises:
        ConfigError: A thing of somebody else has the name, or ours is another one than is wanted.
    """
    cluster_settings.check(cluster.settings)
    _check_ours(cluster, wanted)
    _check_same(cluster, wanted)
    need = cluster_settings.Need(wanted.url, pattern_of(wanted.url), is_private(wanted.url))
    changes = cluster_settings.additions(cluster.settings, wanted.name, need)
    pipeline = opensearch_bodies.pipeline(wanted, oversample=cluster.oversample)
    deployed = any(model["model_state"] == _DEPLOYED for _, model in cluster.models)
    notices = () if cluster.oversample else (_NO_OVERSAMPLE,)
    return Plan(_steps(cluster, wanted, changes, pipeline, deployed=deployed), _ids(cluster), notices)


def removal(cluster: Cluster, name: str) -> Plan:
    """Return the plan to undo: what is there of a pipeline, as it is.

    Raises:
        ConfigError: A thing of somebody else has the name.
    """
    wanted = Wanted(name, "")
    _check_ours(cluster, wanted)
    return Plan(_steps(cluster, wanted, {}, cluster.pipeline or {}, deployed=bool(cluster.models)), _ids(cluster))


def check_answer(engine: Engine, model_id: str, url: str) -> None:
    """See that the model is deployed, and that the cluster gets scores from the service: as the rerank processor asks.

    Raises:
        BackendError: It does not.
    """
    _wait_until_deployed(engine, model_id)
    asked = {"query_text": "red fox", "text_docs": ["A red fox.", "A blue hen."]}
    try:
        answer = engine.request("POST", f"/_plugins/_ml/_predict/text_similarity/{model_id}", asked, attempts=1)
        (result,) = answer["inference_results"]
        scores = [output["data"][0] for output in result["output"]]
    except AuthError as error:
        raise BackendError(
            f"all is made, but asking was refused: either {url} takes no such key (PRORANK_REMOTE_API_KEY; after a "
            f"change --undo, then try again), or the cluster lets this user ask no model: {error}"
        ) from error
    except EngineError as error:
        raise BackendError(
            f"all is made, but the cluster gets no scores from {url}: {error.reason}. Does the service run, can the "
            "cluster's nodes reach it, and does it take this key? 'prorank doctor' with its address tells more"
        ) from error
    if len(scores) != len(asked["text_docs"]):
        raise BackendError(f"all is made, but {url} gave {len(scores)} scores for {len(asked['text_docs'])} texts")


def _wait_until_deployed(engine: Engine, model_id: str) -> None:
    """Wait for what a cluster notes of a model a moment after it says that it is done."""
    until = time.monotonic() + _DEPLOYED_TIMEOUT_S
    while _model(engine, model_id)["model_state"] != _DEPLOYED:
        if time.monotonic() > until:
            raise BackendError(f"{engine.where} does not deploy the model {model_id}: see its log, then try again")
        time.sleep(_PAUSE_S)


def _model(engine: Engine, model_id: str) -> Mapping[str, Any]:
    """Return a model as it is now: a search may tell what it was."""
    found: Mapping[str, Any] = engine.request("GET", f"/_plugins/_ml/models/{model_id}")
    return found


def _ids(cluster: Cluster) -> dict[str, str]:
    """Return the ids of what is there, by their placeholders."""
    found = {"connector_id": cluster.connectors, "model_group_id": cluster.groups, "model_id": cluster.models}
    return {placeholder: things[0][0] for placeholder, things in found.items() if things}


def _steps(
    cluster: Cluster,
    wanted: Wanted,
    changes: Mapping[str, object],
    pipeline: Mapping[str, object],
    *,
    deployed: bool,
) -> tuple[Step, ...]:
    known = _ids(cluster)
    return (
        _settings_step(cluster, wanted, changes),
        _registered(wanted, "connector", "connectors", opensearch_bodies.connector(wanted), known),
        _registered(wanted, "model group", "model_groups", opensearch_bodies.model_group(wanted), known),
        _registered(wanted, "model", "models", opensearch_bodies.model(wanted), known),
        _deployment(wanted.name, there=deployed),
        _pipeline_step(cluster, wanted, pipeline, known),
    )


def _settings_step(cluster: Cluster, wanted: Wanted, changes: Mapping[str, object]) -> Step:
    after = replace(cluster.settings, persistent={**cluster.settings.persistent, **changes})
    restored = cluster_settings.restored(after, wanted.name)
    return Step(
        f"settings that let the cluster ask {wanted.url or 'the service'}",
        not changes,
        Call("PUT", "/_cluster/settings", {"persistent": dict(changes)}),
        Call("PUT", "/_cluster/settings", {"persistent": restored}) if restored else None,
    )


def _registered(wanted: Wanted, what: str, kind: str, body: Mapping[str, object], known: Mapping[str, str]) -> Step:
    gives = f"{what.replace(' ', '_')}_id"
    verb = "_create" if kind == "connectors" else "_register"
    return Step(
        f"{what} {wanted.name!r}",
        gives in known,
        Call("POST", f"/_plugins/_ml/{kind}/{verb}", body),
        Call("DELETE", f"/_plugins/_ml/{kind}/<{gives}>"),
        gives,
    )


def _deployment(name: str, *, there: bool) -> Step:
    return Step(
        f"deployment of the model {name!r}",
        there,
        Call("POST", "/_plugins/_ml/models/<model_id>/_deploy"),
        Call("POST", "/_plugins/_ml/models/<model_id>/_undeploy"),
    )


def _pipeline_step(cluster: Cluster, wanted: Wanted, body: Mapping[str, object], known: Mapping[str, str]) -> Step:
    where = "/_search/pipeline" + path(wanted.name)
    there = cluster.pipeline is not None and cluster.pipeline == filled(body, known)
    return Step(f"search pipeline {wanted.name!r}", there, Call("PUT", where, body), Call("DELETE", where))


def _check(engine: Engine, nodes: Sequence[Mapping[str, Any]]) -> None:
    numbers = tuple(int(part) for part in engine.version.split(".")[:2] if part.isdecimal())
    if numbers and numbers < _OLDEST:
        raise ConfigError(
            f"OpenSearch {engine.version} at {engine.where} has no rerank processor, which came with 2.12: put the "
            "gateway before it instead (prorank serve)"
        )
    for plugin, title in _NEEDED_PLUGINS.items():
        lacking = [node["name"] for node in nodes if plugin not in {found["name"] for found in node["plugins"]}]
        if lacking:
            raise ConfigError(
                f"{engine.where}: no plugin {plugin} ({title}) on {', '.join(sorted(lacking))}: install it on every "
                "node, or put the gateway before the cluster instead (prorank serve)"
            )


def _can_oversample(nodes: Sequence[Mapping[str, Any]]) -> bool:
    return all(
        "oversample" in _types(node, "request_processors") and "truncate_hits" in _types(node, "response_processors")
        for node in nodes
    )


def _types(node: Mapping[str, Any], kind: str) -> set[str]:
    return {processor["type"] for processor in node.get("search_pipelines", {}).get(kind, [])}


def _made_for(
    engine: Engine, kind: str, name: str, description: str | None = None
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the things of a name, those alone that have the description where one is given."""
    asked = {"query": {"term": {"name.keyword": name}}, "size": _MOST}
    hits = engine.request("POST", f"/_plugins/_ml/{kind}/_search", asked)["hits"]["hits"]
    found = [(hit["_id"], hit["_source"]) for hit in hits]
    return [each for each in found if description in (None, each[1].get("description"))]


def _pipeline(engine: Engine, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = engine.request("GET", "/_search/pipeline" + path(name))
    except EngineError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    return found.get(name)


def _check_ours(cluster: Cluster, wanted: Wanted) -> None:
    named = {"search pipeline": cluster.pipeline, "model group": cluster.groups[0][1] if cluster.groups else None}
    for what, found in named.items():
        if found is not None and found.get("description") != wanted.description:
            raise ConfigError(
                f"the {what} {wanted.name!r} was made by somebody else: choose another name with --pipeline"
            )


def _check_same(cluster: Cluster, wanted: Wanted) -> None:
    for _, found in cluster.connectors:
        if not opensearch_bodies.same_connector(found, wanted):
            raise ConfigError(
                f"the connector {wanted.name!r} is ours, but made for another address, key or deadline, or by another "
                "version of prorank: take it away with 'prorank provision opensearch --undo' and try again, or choose "
                "another --pipeline"
            )
