"""The settings that let a cluster ask the service: added to, never overwritten, and put back as they were.

A record of what was changed stands in the cluster's settings too, under the name that engines keep for users' notes:
which search pipeline needs what, and what stood there before. It goes with the last pipeline. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prorank_search.errors import ConfigError

TRUSTED = "plugins.ml_commons.trusted_connector_endpoints_regex"
"""Regular expressions of the addresses that connectors may ask."""
PRIVATE = "plugins.ml_commons.connector.private_ip_enabled"
"""Whether these may be addresses of private networks."""
REMOTE = "plugins.ml_commons.remote_inference.enabled"
RECORD = "cluster.metadata.prorank"

Changes = dict[str, object]


@dataclass(frozen=True, slots=True)
class Settings:
    """A cluster's settings, flat, as `GET /_cluster/settings` tells them."""

    persistent: Mapping[str, Any]
    transient: Mapping[str, Any]
    defaults: Mapping[str, Any]

    def in_force(self, name: str) -> Any:  # noqa: ANN401 (JSON)
        """Return a setting's value; None where the cluster does not know it."""
        return next((level[name] for level in (self.transient, self.persistent, self.defaults) if name in level), None)

    @property
    def trusted(self) -> list[str]:
        """The expressions in force."""
        return list(self.in_force(TRUSTED) or [])

    @property
    def record(self) -> dict[str, Any]:
        """Our record; `pipelines` and `before` are empty where we changed nothing."""
        kept = self.persistent.get(RECORD)
        return json.loads(kept) if kept else {"pipelines": {}, "before": {}}


@dataclass(frozen=True, slots=True)
class Need:
    """What a pipeline needs of the settings.

    Attributes:
        url: The address that has to be trusted.
        pattern: The expression that trusts it alone.
        private: It lies in a private network.
    """

    url: str
    pattern: str
    private: bool


def check(settings: Settings) -> None:
    """See that what is written as a persistent setting will be in force.

    Raises:
        ConfigError: A transient setting stands before it, or the cluster asks nobody at all.
    """
    for name in (TRUSTED, PRIVATE):
        if name in settings.transient:
            raise ConfigError(f"the cluster has a transient setting {name}: make it persistent first, then try again")
    if settings.in_force(REMOTE) == "false":
        raise ConfigError(f"the cluster's setting {REMOTE} is false: it asks no service at all; set it to true first")


def additions(settings: Settings, pipeline: str, need: Need) -> Changes:
    """Return the persistent settings to write so that a pipeline has what it needs; none where it has."""
    record = settings.record
    known = record["pipelines"].get(pipeline, {})
    ours = {entry.get("pattern") for entry in record["pipelines"].values()}
    entry: dict[str, object] = {}
    changes: Changes = {}
    if known.get("pattern") == need.pattern or not _trusts(
        [pattern for pattern in settings.trusted if pattern not in ours], need.url
    ):
        entry["pattern"] = need.pattern
        if need.pattern not in settings.trusted:
            changes[TRUSTED] = [*settings.trusted, need.pattern]
    if need.private and (settings.in_force(PRIVATE) != "true" or PRIVATE in record["before"]):
        entry["private"] = True
        if settings.in_force(PRIVATE) != "true":
            changes[PRIVATE] = "true"
    if entry == known and not changes:
        return {}
    if PRIVATE in changes:
        record["before"][PRIVATE] = settings.persistent.get(PRIVATE)
    if TRUSTED in changes and TRUSTED not in settings.persistent:
        record["defaults"] = _digest(settings.trusted)
    record["pipelines"][pipeline] = entry
    return {**changes, RECORD: json.dumps(record)}


def restored(settings: Settings, pipeline: str) -> Changes:
    """Return the persistent settings to write so that a pipeline's needs are gone, but for what others of ours need."""
    record = settings.record
    entry = record["pipelines"].pop(pipeline, None)
    if entry is None:
        return {}
    others: Sequence[Mapping[str, object]] = list(record["pipelines"].values())
    changes: Changes = {}
    pattern = entry.get("pattern")
    if pattern in settings.trusted and not any(other.get("pattern") == pattern for other in others):
        left = [each for each in settings.trusted if each != pattern]
        changes[TRUSTED] = None if record.get("defaults") == _digest(left) else left
    if entry.get("private") and not any(other.get("private") for other in others):
        changes[PRIVATE] = record["before"].pop(PRIVATE, None)
    return {**changes, RECORD: json.dumps(record) if others else None}


def _digest(patterns: Sequence[str]) -> str:
    """Return what tells one list from another: a cluster keeps its defaults to itself once a setting is made."""
    return hashlib.sha256(json.dumps(patterns).encode()).hexdigest()[:16]


def _trusts(patterns: Sequence[str], url: str) -> bool:
    return any(_matches(pattern, url) for pattern in patterns)


def _matches(pattern: str, url: str) -> bool:
    try:
        with warnings.catch_warnings(action="error"):
            return re.fullmatch(pattern, url) is not None
    except (re.error, FutureWarning):
        return False  # Java reads some that Python does not, or otherwise; then ours is added beside it
