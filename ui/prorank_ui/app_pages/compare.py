"""Compare: one query, two rankings side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import streamlit as st

from prorank_search.errors import MissingModelError, ProRankError
from prorank_search.movement import nothing_found
from prorank_search.protocols import IndexInfo
from prorank_search.types import SearchResult
from prorank_ui import address, first_steps, state
from prorank_ui.choices import Choice, Side, written_blend, written_side
from prorank_ui.compare import hit_clicks, hit_details, linked_revision, searches, sharing, shown_hits, side_controls
from prorank_ui.compare import ranking_table as table
from prorank_ui.compare.pairing import Placed, pair
from prorank_ui.compare.slopes import slopes
from prorank_ui.drawing import charts, notices
from prorank_ui.drawing.markup import unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import beware, count, note, stage_times
from prorank_ui.evaluate.evaluating import system_name
from prorank_ui.judge import judge_from_compare
from prorank_ui.running_search import RunningSearch

STAND_IN = "overlap"
"""The second stage that needs no model."""

PLACES: tuple[table.Place, ...] = ("left", "right")
LONGEST_QUERY = 5_000
"""Characters of a query: with more of them, its address is one that servers refuse."""

_AT_ONCE_S = 0.3
_IN_FORCE = "blend and revision of the last answers"
_POLL_S = 0.4
_LONG_S = 3.0

SideOutcome = SearchResult | ProRankError | None
"""A side's result, why it has none, or None while it is at work."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the fields of the page hold: a search for each side, and the index as it is now."""

    choices: Mapping[table.Place, Choice]
    index: IndexInfo
    top_k: int


def page() -> None:
    """Draw the page."""
    for styles in (notices.STYLES, table.STYLES):
        st.html(styles)
    st.title("Compare", anchor=False)
    try:
        state.client().person()
        indexes = state.client().indexes()
        if not indexes:
            first_steps.no_index()
            return
        sharing.open_saved()
        asked = _ask(indexes)
        if asked.choices["left"].query:
            _compare(asked)
        else:
            _invite(asked.index)
    except ProRankError as error:
        st.html(notice("error", "The search failed", str(error)))


def _ask(indexes: Sequence[IndexInfo]) -> Asked:
    """Draw the fields; return what they hold."""
    sides = [key for place in PLACES for key in side_controls.keys(place)]
    address.follow("q", "index", *sides, *map(linked_revision.key, PLACES))
    shown_hits.follow()
    by_name = {index.name: index for index in indexes}
    wide, narrow = st.columns([7, 3])
    with narrow:
        index = by_name[state.select("Index", "index", list(by_name), on_change=_of_another_index)]
    with wide:
        query = st.text_input(
            "Query", key="q", placeholder="Ask in your own words", max_chars=LONGEST_QUERY, on_change=shown_hits.reset
        ).strip()
    choices = {}
    for place, column in zip(PLACES, st.columns(2), strict=True):
        with column:
            choices[place] = Choice(query, index.name, side_controls.side(place, index.name))
    if query:
        linked_revision.remember(choices)
        address.write(_address_of(choices))
    return Asked(choices, index, state.client().top_k(index.name))


def _of_another_index() -> None:
    shown_hits.reset()
    for place in PLACES:
        side_controls.forget_linked_blend(place)


def _address_of(choices: Mapping[table.Place, Choice]) -> dict[str, str]:
    either = choices["left"]
    sides = [written_side(place, choice.side) for place, choice in choices.items()]
    return {"q": either.query, "index": either.index} | sides[0] | sides[1] | shown_hits.held() | _in_force(choices)


def _invite(index: IndexInfo) -> None:
    advice = "Type a query and press Enter: two rankings appear side by side."
    st.html(notice("info", f"{count(index.documents, 'document')} to search", advice))
    examples = state.client().examples(index)
    if examples:
        st.caption("Or try one of these:")
    with st.container(horizontal=True):
        for example in examples:
            st.button(unmarked(example), key=f"example {example}", on_click=state.choose, args=("q", example))


def _compare(asked: Asked) -> None:
    """Show each side as soon as it is there; look again every moment while one is not."""
    running = searches.compare(asked.choices, asked.index)
    outcomes = {place: _outcome(search, _AT_ONCE_S) for place, search in running.items()}
    if None in outcomes.values():
        st.fragment(_poll, run_every=_POLL_S)(asked, running)
        return
    failed = [asked.choices[place] for place, outcome in outcomes.items() if not _is_ranking(outcome)]
    searches.forget(failed)
    results = {place: outcome for place, outcome in outcomes.items() if _is_ranking(outcome)}
    if len(results) < len(PLACES):
        _show_failed(asked, outcomes)
        return
    if any(not result.hits for result in results.values()):
        _show_nothing(next(iter(results.values())), asked)
        return
    _show(asked, results)


def _poll(asked: Asked, running: Mapping[table.Place, RunningSearch]) -> None:
    outcomes = {place: _outcome(search, 0.0) for place, search in running.items()}
    if None not in outcomes.values():
        st.rerun()
    hits = min((len(one.hits) for one in outcomes.values() if _is_ranking(one)), default=asked.top_k)
    sides = [_half(place, asked, outcomes[place], min(hits, asked.top_k)) for place in PLACES]
    waiting = {place: running[place] for place, outcome in outcomes.items() if outcome is None}
    waited_s = max(search.age_s() for search in waiting.values())
    answered_before = any(f"{place}_blend" in _in_force(asked.choices) for place in waiting)
    facts = "" if answered_before else "; the first search also loads the model"
    facts = f"for {waited_s:.0f} s{facts}" if waited_s > _LONG_S else ""
    st.html(summary("Rescoring …", facts) + table.board(*sides))


def _outcome(search: RunningSearch, timeout_s: float) -> SideOutcome:
    try:
        return search.result(timeout_s)
    except ProRankError as error:
        return error


def _is_ranking(outcome: SideOutcome) -> TypeGuard[SearchResult]:
    return isinstance(outcome, SearchResult) and outcome.status.state != "degraded"


def _show_nothing(result: SearchResult, asked: Asked) -> None:
    advice = f"Try other words: {asked.index.name!r} holds {count(asked.index.documents, 'document')}."
    headline = nothing_found(result.status) if result.status.reason else "No document holds a word of this query"
    st.html(notice("info", headline, advice))


def _show_failed(asked: Asked, outcomes: Mapping[table.Place, SideOutcome]) -> None:
    """Show a side that could not even start, above it what to do."""
    failed = [place for place, outcome in outcomes.items() if not _is_ranking(outcome)]
    if any(isinstance(outcome, MissingModelError) for outcome in outcomes.values()):
        st.html(notice("warning", "The model is not on this machine", "Fetch it once, then reload this page:"))
        st.code("prorank models pull", language=None)
    for place in failed:
        if asked.choices[place].side.rescorer != STAND_IN and STAND_IN in state.client().stages(asked.index.name):
            st.button(
                "Compare with the word-overlap stand-in",
                key=f"stand-in {place}",
                on_click=state.choose,
                args=(place, STAND_IN),
            )
    sides = [_half(place, asked, outcomes[place]) for place in PLACES]
    st.html(summary("One side failed: only the other is shown.", "") + table.board(*sides))


def _half(place: table.Place, asked: Asked, outcome: SideOutcome, hits: int = 0) -> str:
    """Return a side by itself; `hits`: as many will stand there where it is at work."""
    name = asked.choices[place].side.name
    if outcome is None:
        return table.pending_side(place, heading=name, note="rescoring …", count=hits)
    if not _is_ranking(outcome):
        reason = outcome.status.reason if isinstance(outcome, SearchResult) else str(outcome)
        return table.failed_side(place, heading=name, note="failed", reason=reason)
    alone = [Placed(hit) for hit in outcome.hits[: asked.top_k]]
    return table.hits_side(place, alone, heading=name, note=note(outcome), empty="Nothing was found")


def _show(asked: Asked, results: Mapping[table.Place, SearchResult]) -> None:
    """Show both sides, and what can be done with them."""
    both = pair(results["left"].hits, results["right"].hits, asked.top_k)
    names = _names(asked.choices, results)
    first = min(asked.top_k, max(len(both.left), len(both.right)))
    overlap = (
        f"{both.common} of the first {first} in common · RBO {both.rbo:.2f} · right: {stage_times(results['right'])}"
    )
    st.html(summary(both.summary, overlap))
    _warn(asked, names, results)
    wide, narrow, beside = st.columns([48, 22, 30], vertical_alignment="bottom")
    with wide:
        shown_hits.choose_kind()
    with narrow:
        shown = shown_hits.choose_page(both)
    sides = {
        place: table.hits_side(
            place, shown[place], heading=names[place], note=note(results[place]), empty="No hit of this kind"
        )
        for place in PLACES
    }
    board = table.board(sides["left"], sides["right"])
    st.html(board)
    _show_picked(asked, names, results)
    with st.expander("All movements"):
        charts.draw(slopes(both, names["left"], names["right"]))
    _note_in_force(asked.choices, results)
    whole = _address_of(asked.choices)
    address.complete(whole)
    with beside.container(horizontal=True, horizontal_alignment="right"):
        sharing.offer(whole, results, names, both.summary, board)
        judge_from_compare.offer(asked.choices["left"], results, names, asked.top_k)


def _warn(asked: Asked, names: Mapping[table.Place, str], results: Mapping[table.Place, SearchResult]) -> None:
    """Say what a side does not show as it was meant to."""
    for sentence in linked_revision.changes(asked.choices, results):
        st.html(notice("warning", sentence))
    for place in PLACES:
        warning = beware(results[place], asked.top_k)
        if warning:
            headline, reason = warning
            st.html(notice("warning", f"{names[place]}: {headline}", reason))
        if results[place].status.state == "partial":
            choice = asked.choices[place]
            st.button("Score the rest", key=f"rest {place}", on_click=searches.forget, args=([choice],))


def _names(
    choices: Mapping[table.Place, Choice], results: Mapping[table.Place, SearchResult]
) -> dict[table.Place, str]:
    """Name the sides by their models; by all that tells them apart where both have the same one."""
    names = {place: result.status.model or choices[place].side.name for place, result in results.items()}
    if len(set(names.values())) == len(names):
        return names
    return {place: system_name(_as_answered(choices[place].side, result)) for place, result in results.items()}


def _as_answered(side: Side, result: SearchResult) -> Side:
    status = result.status
    if status.blend is None:
        return Side()
    model = state.client().models(side.rescorer).get(side.model, status.model)  # checkpoints of one recipe share a name
    return replace(side, model=model or "", window=str(status.window_size), blend=written_blend(status.blend))


def _note_in_force(choices: Mapping[table.Place, Choice], results: Mapping[table.Place, SearchResult]) -> None:
    """Keep what the answers were made with, for the next searches: so each of them is one step back in the browser."""
    for place, result in results.items():
        if result.status.blend is not None:
            st.session_state.setdefault(_IN_FORCE, {})[place, choices[place].index, choices[place].side] = {
                f"{place}_blend": written_blend(result.status.blend),
                linked_revision.key(place): result.status.model_revision or "",
            }


def _in_force(choices: Mapping[table.Place, Choice]) -> dict[str, str]:
    """Return what a link must keep although it was not chosen, as far as it is known: model's revision and blend."""
    known: dict[tuple[str, str, Side], dict[str, str]] = st.session_state.get(_IN_FORCE, {})
    sides = [known.get((place, choice.index, choice.side), {}) for place, choice in choices.items()]
    return sides[0] | sides[1]


def _show_picked(asked: Asked, names: Mapping[table.Place, str], results: Mapping[table.Place, SearchResult]) -> None:
    """Open the panel of the document whose title was clicked."""
    doc_id = hit_clicks.picked()
    if doc_id is None:
        return
    labels = {place: f"{place}: {names[place]}" for place in PLACES}
    found = {
        labels[place]: hit for place, result in results.items() for hit in result.hits if hit.document.doc_id == doc_id
    }
    if found:
        hit_details.show({labels[place]: asked.choices[place] for place in PLACES}, found)
