"""The versions of an index on an engine: concrete indexes, and the aliases that say which of them searches see.

NAME                    alias on the present version
NAME@previous           alias on the one that `rollback` returns to; both move in one atomic call
NAME-v3-9f3c2a1b        a version; no alias shows it until it was published

A version carries our mark in its mapping's `_meta`: whose version it is, and, while it is filled, which settings it is
to have afterwards. Whatever has no mark belongs to somebody else and is neither written to nor deleted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prorank_search.backends.engines.analysis import ADOPTED, MARK, PREVIOUS, analysis_for, index_body
from prorank_search.backends.engines.connection import Body, Engine, path
from prorank_search.backends.engines.passages import counted
from prorank_search.errors import BackendError, EngineError, IndexNotFoundError, InputError

LOWERED: Mapping[str, object] = {"index.refresh_interval": "-1", "index.number_of_replicas": "0"}
"""Settings of a version while it is filled."""

PATIENCE_S = 120.0
"""Seconds that a change to an index, or a question before one, is waited for."""
ATTEMPTS = 32
"""How often it is tried: for as long as a document is (`delivery.GIVE_UP_S`)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """A concrete index.

    Attributes:
        name: Its name.
        aliases: The aliases that show it.
        meta: Its mapping's `_meta`.
        settings: Its settings, flat.
    """

    name: str
    aliases: frozenset[str]
    meta: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def mark(self) -> Mapping[str, Any]:
        """What we wrote into it when we made it; empty: somebody else did."""
        mark: Mapping[str, Any] = self.meta.get(MARK, {})
        return mark

    @property
    def in_passages(self) -> bool:
        """Tell whether it holds passages."""
        return "passages" in self.mark

    def shown_as(self, index: str) -> bool:
        """Tell whether searches of `index` see it."""
        return self.name == index or index in self.aliases


@dataclass(frozen=True, slots=True)
class Target:
    """What a writer writes into.

    Attributes:
        index: Name of the index.
        name: Name of the concrete index.
        hidden: No alias shows it yet, and its settings are lowered.
        in_passages: It holds passages.
    """

    index: str
    name: str
    hidden: bool
    in_passages: bool


def check_name(index: str) -> None:
    """Raise InputError where a text cannot be an index's name."""
    if not _NAME.fullmatch(index):
        raise InputError(
            f"{index!r} cannot be an index name: use lowercase letters, digits, '-', '_' and '.', "
            "at most 100 characters, the first a letter or digit"
        )


def of_index(engine: Engine, index: str) -> list[Version]:
    """Return the concrete indexes that belong to an index or are shown as it, the oldest first."""
    check_name(index)
    answer = ask(
        engine,
        "GET",
        f"/{index},{index}-v*",
        params={
            "ignore_unavailable": True,
            "flat_settings": True,
            "filter_path": "*.aliases,*.mappings._meta,*.settings",
        },
    )
    found = [_version(name, said) for name, said in (answer or {}).items()]
    own = [each for each in found if each.shown_as(index) or each.mark.get("index") == index]
    return sorted(own, key=lambda each: int(each.mark.get("number", 0)))


def published(index: str, found: Sequence[Version]) -> Version | None:
    """Return the version that searches see; None: there is none.

    Raises:
        InputError: Several indexes stand behind the name.
    """
    shown = [each for each in found if each.shown_as(index)]
    if len(shown) > 1:
        names = ", ".join(each.name for each in shown)
        raise InputError(f"{index!r} is an alias of several indexes ({names}): name one of them")
    return shown[0] if shown else None


def require_published(engine: Engine, index: str) -> Version:
    """Return the version that searches see.

    Raises:
        IndexNotFoundError: There is none.
    """
    found = published(index, of_index(engine, index))
    if found is None:
        raise IndexNotFoundError(
            f"no index {index!r} at {engine.where}: `prorank index list` names those that are there"
        )
    return found


def create(engine: Engine, index: str, analysis: str, found: Sequence[Version], metadata: Mapping[str, object]) -> str:
    """Make a version that nothing shows yet; return its name. Unpublished leftovers of killed runs are deleted.

    Args:
        engine: The engine.
        index: Name of the index.
        analysis: How texts are analysed.
        found: Its versions.
        metadata: What the mark says beside our own.

    Raises:
        ConfigError: There is no such analysis.
    """
    chosen = analysis_for(engine, analysis)
    if chosen.notice:
        _log.warning("%s", chosen.notice)
    sweep(engine, [each for each in found if each.mark and not each.aliases])
    number = 1 + max((int(each.mark.get("number", 0)) for each in found), default=0)
    name = f"{index}-v{number}-{uuid4().hex[:8]}"
    created = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        mark = {**metadata, "index": index, "number": number, "created": created}
        ask(engine, "PUT", path(name), index_body(chosen, meta=mark))
    except EngineError as error:
        if error.error_type != "resource_already_exists_exception":  # made by an attempt whose answer was lost
            raise
    return name


def lower(engine: Engine, name: str) -> None:
    """Lower a hidden version's settings for the time of its filling; its mark says what they were."""
    version = read(engine, name)
    if "restore" not in version.mark:
        before = {key: version.settings.get(key) for key in LOWERED}
        meta = {**version.meta, MARK: {**version.mark, "restore": before}}
        ask(engine, "PUT", path(name, "_mapping"), {"_meta": meta})
    ask(engine, "PUT", path(name, "_settings"), dict(LOWERED))


def restore(engine: Engine, name: str) -> None:
    """Give a version the settings back that it had before `lower`."""
    before = read(engine, name).mark.get("restore")
    if before:
        ask(engine, "PUT", path(name, "_settings"), before)


def require_count(engine: Engine, target: Target, expected: int | None) -> None:
    """Refresh a version and see that it holds as many documents as are expected; None: any number.

    Raises:
        BackendError: It does not, or it was deleted meanwhile.
    """
    refresh(engine, target)
    count = ask(engine, "GET", path(target.name, "_count"), counted(in_passages=target.in_passages))["count"]
    if expected is not None and count != expected:
        raise BackendError(
            f"{target.name} holds {count:,} documents and {expected:,} were written: it is not published, and "
            f"{target.index!r} is as it was; was it written to by somebody else? Ingest again with --replace"
        )


def refresh(engine: Engine, target: Target) -> None:
    """Let searches see what was written.

    Raises:
        BackendError: The index was deleted meanwhile, and made anew by the engine as something else.
    """
    version = read(engine, target.name)
    if not version.mark and ADOPTED not in version.meta:
        raise BackendError(f"{target.name} at {engine.where} was deleted while it was written to: ingest again")
    ask(engine, "POST", path(target.name, "_refresh"))


def publish(engine: Engine, target: Target) -> None:
    """Let searches of an index see a version, in one atomic step; delete all but it and the one before."""
    found = of_index(engine, target.index)
    present = published(target.index, found)
    if present is None or present.name != target.name:
        _move(engine, _actions(target, present, found))
        found = _moved(engine, target.index, target.name)
    sweep(engine, [each for each in found if each.mark and not each.aliases])
    _log.info("index %s: %s is published", target.index, target.name)


def rollback(engine: Engine, index: str) -> str:
    """Let searches see the version published before the present one; return its name.

    Raises:
        IndexNotFoundError: There is no such index.
        InputError: No version was published before.
        BackendError: That version cannot be read any longer; the present one stays.
    """
    present = require_published(engine, index)
    before = next((each for each in of_index(engine, index) if index + PREVIOUS in each.aliases), None)
    if before is None:
        raise InputError(f"index {index!r} has no version published before {present.name!r}: nothing to return to")
    ask(engine, "GET", path(before.name, "_count"))
    _move(
        engine,
        [_remove(present.name, index), _remove(before.name, index + PREVIOUS), _add(before.name, index)],
    )
    _moved(engine, index, before.name)
    return before.name


def sweep(engine: Engine, doomed: Sequence[Version]) -> None:
    """Delete versions, all in one atomic step."""
    if doomed:
        _move(engine, [{"remove_index": {"index": each.name}} for each in doomed])


def read(engine: Engine, name: str) -> Version:
    """Return a concrete index.

    Raises:
        IndexNotFoundError: There is none of that name.
    """
    answer = ask(engine, "GET", path(name), params={"flat_settings": True})
    return _version(name, answer[name])


def ask(
    engine: Engine, method: str, where: str, body: Body | None = None, *, params: Mapping[str, object] | None = None
) -> Any:  # noqa: ANN401 (JSON)
    """Send a request that is waited for; see `patient`."""
    return patient(engine).request(method, where, body, params=params)


def patient(engine: Engine) -> Engine:
    """Return an engine whose answers are waited for: one that is given up may still do what it was asked, later.

    Settings lowered by such a request after they were restored would stay so on a live index. It is asked often enough
    for a server that starts anew meanwhile.
    """
    return replace(engine, timeout_s=max(engine.timeout_s, PATIENCE_S), attempts=max(engine.attempts, ATTEMPTS))


def _actions(target: Target, present: Version | None, found: Sequence[Version]) -> list[dict[str, Any]]:
    previous = target.index + PREVIOUS
    actions = [_remove(each.name, previous) for each in found if previous in each.aliases]
    if present is not None:
        actions += [_remove(present.name, target.index), _add(present.name, previous)]
    return [*actions, _add(target.name, target.index)]


def _move(engine: Engine, actions: Sequence[Mapping[str, Any]]) -> None:
    """Do all of it or nothing; an attempt whose answer was lost leaves nothing to do for the next one."""
    try:
        ask(engine, "POST", "/_aliases", {"actions": list(actions)})
    except (EngineError, IndexNotFoundError) as error:
        if isinstance(error, EngineError) and error.error_type != "aliases_not_found_exception":
            raise
        _log.info("aliases: %s", error)


def _moved(engine: Engine, index: str, name: str) -> list[Version]:
    """Return the versions of an index, once searches see the one that they should."""
    found = of_index(engine, index)
    shown = published(index, found)
    if shown is None or shown.name != name:
        raise BackendError(
            f"searches of {index!r} at {engine.where} do not see {name} but {shown.name if shown else 'nothing'}: "
            "did somebody else move the alias? Run the same command again"
        )
    return found


def _add(name: str, alias: str) -> dict[str, Any]:
    return {"add": {"index": name, "alias": alias}}


def _remove(name: str, alias: str) -> dict[str, Any]:
    return {"remove": {"index": name, "alias": alias}}


def _version(name: str, said: Mapping[str, Any]) -> Version:
    meta = said.get("mappings", {}).get("_meta", {})
    return Version(name, frozenset(said.get("aliases", {})), meta, said.get("settings", {}))
