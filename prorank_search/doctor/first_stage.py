"""The first stage: whether the engine answers, what can be searched in it, and how its texts become words."""

from __future__ import annotations

from prorank_search.backends.engines.analysis import analysis_for
from prorank_search.backends.engines.catalog import NOT_OURS
from prorank_search.backends.engines.search import EngineSearch
from prorank_search.doctor.check import Finding, Installation
from prorank_search.profiles import load_profiles
from prorank_search.search import load_backend

_NAMED = 5
"""Indexes that are named at most."""


def engine(installation: Installation) -> Finding:
    """Connect to the engine of the settings."""
    backend = load_backend(installation.settings)
    if isinstance(backend, EngineSearch):
        return Finding("ok", f"{backend.engine.name} {backend.engine.version} at {backend.engine.where}")
    return Finding("ok", "no url is set: the embedded index is used")


def indexes(installation: Installation) -> Finding:
    """List what can be searched."""
    found = load_backend(installation.settings).indexes()
    if not found:
        return Finding("warn", "there is no index yet", "prorank ingest SOURCE --index NAME makes one")
    named = ", ".join(f"{index.name} ({index.documents:,} documents)" for index in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return Finding("ok", f"{named}{more}")


def analysis(installation: Installation) -> Finding:
    """Look at how texts become words, and for a profile of each index that somebody else built."""
    backend = load_backend(installation.settings)
    found = {index.name: index.analysis for index in backend.indexes()}
    if not found:
        return Finding("skipped", "there is no index yet")
    profiles = load_profiles(installation.settings.config)
    unknown = [name for name, analysis in found.items() if analysis == NOT_OURS and name not in profiles]
    if unknown:
        return Finding(
            "warn",
            f"built by somebody else, without a profile: {', '.join(unknown[:_NAMED])}",
            f"prorank profile guess {unknown[0]}",
        )
    ours = {name: analysis for name, analysis in found.items() if analysis != NOT_OURS}
    if isinstance(backend, EngineSearch):
        notices = {analysis_for(backend.engine, analysis).notice for analysis in set(ours.values())} - {""}
        if notices:
            return Finding("warn", "; ".join(sorted(notices)), "install analysis-smartcn, then ingest again")
    return Finding("ok", ", ".join(f"{name}: {how}" for name, how in list(ours.items())[:_NAMED]) or "by profiles")
