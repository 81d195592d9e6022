"""Two-stage search: the first stage, then the second. The only place where the stages meet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from prorank_search import plugins
from prorank_search.analysis import PRESETS
from prorank_search.errors import BackendError, InputError, ProRankError
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexBackend, Rescorer, SearchBackend
from prorank_search.rescore import RescoreOptions, hits_within, keep_order, rescore, texts_in_time, window_for
from prorank_search.types import Query, RescoredHit, SearchRequest, SearchResult, Status

if TYPE_CHECKING:
    from prorank_search.settings import Settings

_EMBEDDED = "tantivy"

_log = logging.getLogger(__name__)


def search(  # noqa: PLR0913 (a search has this many independent choices)
    text: str,
    *,
    index: str,
    backend: SearchBackend,
    rescorer: Rescorer | None = None,
    top_k: int = 10,
    window_size: int | None = None,
    timeout_s: float | None = 10.0,
    profile: Profile | None = None,
    whole_window: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> SearchResult:
    """Search an index: BM25 finds candidates, the rescorer puts the best of them first.

    Args:
        text: What to search for: plain text, never query syntax.
        index: Name of the index.
        backend: The first stage.
        rescorer: The second stage; None leaves the first stage's order.
        top_k: Hits returned, and shown.
        window_size: First-stage hits rescored; None: what the rescorer recommends, as far as the deadline leaves time.
        timeout_s: Seconds for the whole search; hits that are not scored by then keep first-stage order.
        profile: How this index is searched.
        whole_window: Return every hit that was rescored, so that both orders can be told; the first `top_k` of either
            order have highlights.
        cancelled: True once nobody waits any longer.

    Returns:
        The hits, what became of the second stage, and the milliseconds that each stage took.

    Raises:
        InputError: The index does not exist or cannot answer this request, or it asks for fewer hits than can be.
        BackendError: The first stage failed.
        RescorerError: The second stage failed and the profile says `on_failure = "error"`.
    """
    if top_k < 1 or (window_size is not None and window_size < 0):
        raise InputError(
            f"top_k={top_k}, window_size={window_size}: at least one hit is returned, none or more rescored"
        )
    profile = profile or Profile()
    started = time.monotonic()
    window = window_for(rescorer, "auto" if window_size is None else window_size, timeout_s)
    request = profile.request(index, Query("", text), max(top_k, window), rescorer.info if rescorer else None)
    ranking = backend.search(request)
    found = time.monotonic()
    if rescorer is None:
        hits, status = keep_order(ranking), Status("skipped", reason="no rescoring was asked for")
    else:
        if window_size is None:
            window = hits_within(ranking.hits[:window], texts_in_time(rescorer, timeout_s))
        options = RescoreOptions(
            window_size=window,
            blend=profile.blend,
            text_of=profile.text_of,
            instruction=profile.instruction,
            deadline=None if timeout_s is None else started + timeout_s,
            cancelled=cancelled,
            on_failure=profile.on_failure,
        )
        hits, status = rescore(ranking, rescorer, options)
    if not hits:
        status = replace(status, reason=_why_nothing(request, backend))
    rescored = time.monotonic()
    hits = _highlighted(hits if whole_window else hits[:top_k], top_k, request, backend)
    took = {"first_stage": found - started, "rescore": rescored - found, "total": time.monotonic() - started}
    return SearchResult(ranking.query, hits, status, {stage: round(1e3 * s, 2) for stage, s in took.items()})


def _highlighted(
    hits: Sequence[RescoredHit], top_k: int, request: SearchRequest, backend: SearchBackend
) -> tuple[RescoredHit, ...]:
    shown = [hit for hit in hits if min(hit.rank, hit.first_stage_rank) <= top_k]
    try:
        words = backend.highlights(request, [hit.document for hit in shown])
    except BackendError as error:
        _log.warning("no words are marked in the hits of index %s: %s", request.index, error)
        return tuple(hits)
    by_rank = {hit.rank: found for hit, found in zip(shown, words, strict=True)}
    return tuple(replace(hit, highlights=by_rank.get(hit.rank, ())) for hit in hits)


def _why_nothing(request: SearchRequest, backend: SearchBackend) -> str:
    """Return why nothing was found, where that is more than that no document has a word of the query."""
    analysis = "" if request.body else _analysis_of(request.index, backend)
    if analysis in PRESETS:
        terms = [term.lower() for term, _, _ in PRESETS[analysis].tokens(request.query.text)]
        if not terms:
            return "there is no word in the query"
        if PRESETS[analysis].stop_words.issuperset(terms):
            words = ", ".join(dict.fromkeys(terms))
            return f"the query has only words that the analysis {analysis!r} leaves out: {words}"
    if request.filter:
        wanted = ", ".join(f"{key} = {value!r}" for key, value in request.filter.items())
        return f"the index's profile lets only documents with {wanted} be found"
    return ""


def _analysis_of(index: str, backend: SearchBackend) -> str:
    try:
        published = backend.published(index)
    except ProRankError:
        return ""  # no hits are an answer, even where the reason cannot be found out
    return published.analysis if published else ""


def load_backend(settings: Settings | None = None) -> IndexBackend:
    """Open the first stage that the settings name; `auto` is the engine at `url`, without one the embedded index.

    Args:
        settings: Backend, address and the rest; None: flags aside, what `prorank config show` prints.

    Raises:
        UnknownPluginError: Nobody installed that backend.
        MissingExtraError: The engine's client is not installed.
        ConfigError: What answers at `url` is another engine, or none.
        UnreachableError: Nobody answers at `url`.
    """
    from prorank_search.backends.engines.detection import engine_at

    settings = settings or _settings_in_force()
    name = settings.backend
    if name == "auto":
        name = _EMBEDDED if settings.url is None else engine_at(settings)
    backend: IndexBackend = plugins.load("backends", name)(settings)
    return backend


def load_rescorer(name: str | None = None, settings: Settings | None = None) -> Rescorer:
    """Open the second stage.

    Args:
        name: A rescorer's name; None: the one that the settings name.
        settings: Model, device and the rest; None: flags aside, what `prorank config show` prints.

    Raises:
        UnknownPluginError: Nobody installed that rescorer.
        MissingModelError: Its model was never pulled.
        CheckpointError: Its model fails its contract.
    """
    settings = settings or _settings_in_force()
    rescorer: Rescorer = plugins.load("rescorers", name or settings.rescorer)(settings)
    return rescorer


def _settings_in_force() -> Settings:
    from prorank_search.settings import load_settings

    return load_settings()
