"""Fills the pool of a query: searches it with every chosen system, and puts the first hits of each into the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from prorank_search.errors import IndexNotFoundError, ProRankError
from prorank_search.judgments import QuerySet
from prorank_search.judgments.pooling import pool
from prorank_search.types import Query, SearchResult
from prorank_ui import state
from prorank_ui.choices import Choice, Side
from prorank_ui.compare import searches
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.judge.judging import proposals

_JUDGE = "judge"
_EMPTY = "queries without hits"
_FAILED = "systems that failed"
_AGAIN = "pool that is filled again"
_SEARCHES = 8
"""Of the last few queries; older ones are cancelled."""

_POLL_S = 0.4


@dataclass(frozen=True, slots=True)
class FillingPlan:
    """How pools are filled.

    Attributes:
        sides: The systems that search.
        depth: Hits of each that are judged.
    """

    sides: tuple[Side, ...]
    depth: int


def fill(query_set: QuerySet, query: Query, plan: FillingPlan) -> None:
    """Search a query, and draw the page anew once its pool is filled; until then say that it is being searched."""
    prepare(query_set, query, plan)
    st.fragment(_poll, run_every=_POLL_S)(query_set, query, plan)


def prepare(query_set: QuerySet, query: Query, plan: FillingPlan) -> None:
    """Begin to search a query that will be needed soon."""
    under_way, keys = searches.under_way(_JUDGE), _keys(query_set, query, plan)
    if all(key in under_way for key in keys.values()):
        return
    client = state.client()
    index = next((one for one in client.indexes() if one.name == query_set.index), None)
    if index is None:
        raise IndexNotFoundError(
            f"there is no index {query_set.index!r}, whose documents the query set {query_set.name!r} judges: "
            "ingest it again"
        )
    for side, key in keys.items():
        under_way[key] = client.start(Choice(query.text, index.name, side, max(plan.depth, 1)), index)
    searches.keep(under_way, list(under_way)[-_SEARCHES:])


def fill_again(query_set: QuerySet, query: Query, plan: FillingPlan) -> None:
    """Let a query that has a pool already be searched, and what is not there yet be put in."""
    _forget(query_set, query, plan)
    st.session_state[_AGAIN] = (query_set.name, query.query_id, plan)


def go_on(query_set: QuerySet, query: Query) -> None:
    """Go on with filling the pool of a query again, whatever was clicked meanwhile."""
    name, query_id, plan = st.session_state.get(_AGAIN, ("", "", None))
    if (name, query_id) == (query_set.name, query.query_id):
        fill(query_set, query, plan)


def empty(query_set: QuerySet) -> set[str]:
    """Return the queries of a set for which nothing was found in this session."""
    found: set[str] = st.session_state.setdefault(f"{_EMPTY} of {query_set.name}", set())
    return found


def show_failures() -> None:
    """Say which systems could not search the query that was pooled last."""
    for name, reason in st.session_state.get(_FAILED, {}).items():
        st.html(notice("warning", f"{name} failed: only the hits of the others are judged", reason))


def put_in(query_set: str, query_id: str, results: Mapping[str, SearchResult], depth: int) -> None:
    """Put the first hits of several systems into a query's pool, and what they propose.

    Args:
        query_set: Name of the query set.
        query_id: The query in it.
        results: What each system found, by its name.
        depth: Hits of each that are judged.
    """
    client = state.client()
    client.pool(query_set, query_id, pool({name: one.hits for name, one in results.items()}, depth))
    said = client.store.judgments(query_set)
    for result in results.values():
        if result.status.model:
            new = proposals(query_set, query_id, result.status.model, result.hits[:depth], said)
            client.judge(*new)


def _poll(query_set: QuerySet, query: Query, plan: FillingPlan) -> None:
    """Fill the pool once every system has answered."""
    under_way = searches.under_way(_JUDGE)
    results: dict[str, SearchResult] = {}
    failed: dict[str, str] = {}
    for side, key in _keys(query_set, query, plan).items():
        if key not in under_way:  # the browser had gone for a while
            st.rerun()
        try:
            result = under_way[key].result(0.0)
        except ProRankError as error:
            failed[side.name] = str(error)
            continue
        if result is None:
            st.html(summary("Collecting hits …", f"{side.name} is searching"))
            return
        if result.status.state == "degraded":
            failed[side.name] = result.status.reason
        else:
            results[result.status.model or side.name] = result
    if st.session_state.get(_AGAIN, ())[:2] == (query_set.name, query.query_id):
        del st.session_state[_AGAIN]
    if not results:
        for name, reason in failed.items():
            st.html(notice("error", f"{name} failed: there are no hits to judge", reason))
        st.button("Try again", on_click=fill_again, args=(query_set, query, plan))
        return
    put_in(query_set.name, query.query_id, results, plan.depth)
    if not any(result.hits for result in results.values()):
        empty(query_set).add(query.query_id)
    st.session_state[_FAILED] = failed
    st.rerun()


def _keys(query_set: QuerySet, query: Query, plan: FillingPlan) -> dict[Side, searches.Key]:
    return {side: (query_set.name, query.query_id, plan, side) for side in plan.sides}


def _forget(query_set: QuerySet, query: Query, plan: FillingPlan) -> None:
    gone, under_way = _keys(query_set, query, plan).values(), searches.under_way(_JUDGE)
    searches.keep(under_way, [key for key in under_way if key not in gone])
