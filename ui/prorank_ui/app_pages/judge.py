"""Judge: one hit at a time, its ranks hidden, every grade in the store before the next hit shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.evaluation.agreement import agreement
from prorank_search.judgments import Judgment, QuerySet
from prorank_search.protocols import IndexInfo
from prorank_search.types import Query
from prorank_ui import address, first_steps, page_gate, state
from prorank_ui.drawing import dialogs, notices, plain_table
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import count
from prorank_ui.judge import judge_card, judge_desk, judge_name, judgment_exchange, query_set_form
from prorank_ui.judge.judge_desk import Desk
from prorank_ui.judge.judging import MINE, NOBODY, SKIPPED, Work, work

TITLE = "Judge"
WHICH = {MINE: "New to me", NOBODY: "Judged by nobody", SKIPPED: "Skipped by me"}
_NEW_SET, _EXCHANGE = "New set", "Import, export"
_DISPUTED = 20


def page() -> None:
    """Draw the page."""
    for styles in (notices.STYLES, plain_table.STYLES, judge_card.STYLES):
        st.html(styles)
    st.title(TITLE, anchor=False)
    try:
        judge = judge_name.ask() if page_gate.admits("judge") else None
        if judge:
            _judge_as(judge)
    except ProRankError as error:
        st.html(notice("error", "This cannot be judged", str(error)))


def go_to(query_set: str, query_id: str) -> NoReturn:
    """Leave another page for this one, at a query."""
    judge_desk.stay_at(query_id)
    kept = {key: value for key, value in address.last(TITLE).items() if key in judge_desk.HOW}
    st.switch_page(st.Page(page, url_path="judge"), query_params=kept | {"set": query_set, "query": query_id})


def _judge_as(judge: str) -> None:
    before = st.session_state.get("query")
    address.follow(*judge_desk.ADDRESS)
    if judge_desk.has_moved():  # by a button, which a browser may press before it knows the address of the last one
        st.session_state["query"] = before
    elif st.session_state.get("query") != before:  # by a link, or the browser's Back: even where all of it is judged
        judge_desk.go(st.session_state["query"])
    if address.is_entered():
        dialogs.close()
    made = st.session_state.pop(query_set_form.MADE, None)
    if made:
        st.session_state["set"] = made
    sets = {one.name: one for one in state.client().store.query_sets()}
    if not sets:
        _begin()
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query_set = _choose_set(sets)
        which = state.select("Hits", "which", list(WHICH), WHICH.__getitem__)
        for name in (_NEW_SET, _EXCHANGE):
            st.button(name, on_click=dialogs.open_one, args=(name,))
        judge_name.offer_change(judge)
    if dialogs.opened() == _NEW_SET:
        query_set_form.open_form(_indexes())
    elif dialogs.opened() == _EXCHANGE:
        judgment_exchange.open_dialog(query_set)
    elif dialogs.opened() == judge_desk.COMMENT:
        judge_desk.open_comment()
    _judge_in(query_set, judge, which)


def _indexes() -> list[IndexInfo]:
    """Return what a new set can be about; where that cannot be told, the dialog is not asked for again."""
    try:
        return state.client().indexes()
    except ProRankError:
        dialogs.close()
        raise


def _choose_set(sets: Mapping[str, QuerySet]) -> QuerySet:
    """Draw the choice of a set.

    Each choice is a field of its own: a browser that is late still sends the value of the one before.
    """
    names = list(sets)
    kept = str(st.session_state.get("set"))
    now = kept if kept in sets else names[0]
    chosen = st.selectbox("Query set", names, index=names.index(now), key=f"set after {now}")
    st.session_state["set"] = chosen
    return sets[chosen]


def _begin() -> None:
    """Say what to do where there is nothing to judge yet."""
    indexes = state.client().indexes()
    if not indexes:
        first_steps.no_index()
        return
    advice = "Make one here, import judgments, or compare a query on “Compare” and choose “Judge these hits”."
    st.html(notice("info", "There is no query set yet", advice))
    query_set_form.show(indexes)
    judgment_exchange.import_new(indexes)


def _judge_in(query_set: QuerySet, judge: str, which: str) -> None:
    """Show the query that is next, and how far the set's judges agree."""
    store = state.client().store
    queries = store.queries(query_set.name)
    judgments = store.judgments(query_set.name)
    mine = work(list(queries), store.pools(query_set.name), judgments, judge, which)
    at = judge_desk.position(mine, query_set)
    st.session_state["query"] = at or ""
    if at is None:
        judge_desk.write_address()
        _say_done(mine, which)
        judge_desk.offer_undo(query_set, judge)
    else:
        judge_desk.show(Desk(query_set, queries, queries[at], judge, mine, judgments))
    _show_agreement(judgments, queries)
    judge_desk.is_drawn()


def _say_done(mine: Work, which: str) -> None:
    if which == SKIPPED:
        st.html(notice("info", "You skipped no hit of this set"))
        return
    if not mine.pools:
        st.html(notice("info", "No system finds anything for this set's queries", "Choose or make another set."))
        return
    skipped = sum(one.relevance is None for one in mine.said.values())
    advice = f"“{WHICH[SKIPPED]}” above brings {count(skipped, 'hit')} back. " if skipped else ""
    done, pooled = mine.judged_of_all
    headline = f"Nothing is left to judge: {done:,} of {count(pooled, 'hit')} judged"
    st.html(notice("info", headline, f"{advice}Measure with this set on “Evaluate”."))


def _show_agreement(judgments: Sequence[Judgment], queries: Mapping[str, Query]) -> None:
    """Show how far persons agree, where several judged."""
    found = agreement(judgments)
    if len(found.judges) < 2:  # noqa: PLR2004 (nobody to agree with)
        return
    alpha = "too little to tell" if found.alpha is None else f"Krippendorff's α {found.alpha:.2f}"
    with st.expander(f"Agreement of {len(found.judges)} judges: {alpha}"):
        judged = ", ".join(f"{name} {number:,}" for name, number in found.judges.items())
        told = f"{count(found.shared, 'hit')} judged by two or more, {len(found.disputed):,} with different grades"
        st.html(summary(told, f"α of ordered grades: 1 always agreed, 0 as by chance · {judged}"))
        if found.disputed:
            disputed = found.disputed[:_DISPUTED]
            st.html(judge_card.disputed_table(disputed, [queries[one.query_id].text for one in disputed]))
