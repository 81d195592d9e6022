"""One query on a judge's desk: where they are, the hit that is next, what can be said of it, what was said before.

Every grade is in the store before the next hit shows: the buttons write it before the page is drawn anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.judgments import GRADES, Judgment, QuerySet
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Query
from prorank_ui import address, state
from prorank_ui.choices import FIRST_STAGE, Side
from prorank_ui.drawing import announcer, dialogs
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import apart, count
from prorank_ui.judge import judge_card, judge_proposals, pool_filling
from prorank_ui.judge.judging import Work
from prorank_ui.judge.pool_filling import FillingPlan

DEPTHS = ("10", "20", "50", "100")
LONGEST_COMMENT = 2000
HOW = ("second", "depth")
"""How hits are found that are to be judged."""

ADDRESS = ("set", "query", "which", *HOW)
"""What a link to the page keeps."""

COMMENT = "hit that a comment belongs to"
"""Key of the judgment that the dialog of this name completes."""

_STAY = "query to stay at"
_AGAIN = "hit to judge again"
_FAILED = "why a judgment was not kept"
_DRAWN = "when the hit was drawn"
_MOVED = "whether a button led here"
_SEEN_AFTER_S = 0.25


@dataclass(frozen=True, slots=True)
class Desk:
    """What a judge has before them.

    Attributes:
        query_set: The query set.
        queries: Its queries, by `query_id`.
        query: The one that they are at.
        judge: Their name.
        work: What they have to do in the set.
        judgments: All that counts of the set.
    """

    query_set: QuerySet
    queries: Mapping[str, Query]
    query: Query
    judge: str
    work: Work
    judgments: Sequence[Judgment]


def stay_at(query_id: str) -> None:
    """Show this query, even where nothing of it is left to judge."""
    st.session_state["query"] = st.session_state[_STAY] = query_id


def go(query_id: str) -> None:
    """Show this query, at the first of its hits that waits."""
    st.session_state.pop(_AGAIN, None)
    stay_at(query_id)


def has_moved() -> bool:
    """Tell whether a button of this desk led to the query, once for each press."""
    return bool(st.session_state.pop(_MOVED, False))


def position(work: Work, query_set: QuerySet) -> str | None:
    """Return the query that is next; None where nothing is left to judge."""
    stay = st.session_state.get(_STAY)
    if stay in work.order:
        return str(stay)
    return work.next_query(st.session_state.get("query"), pool_filling.empty(query_set))


def write_address() -> None:
    """Write what is shown into the address."""
    address.write({key: str(st.session_state[key]) for key in ADDRESS if st.session_state.get(key)})


def is_drawn() -> None:
    """Say that the page is whole: a key that is pressed before was not meant for the hit on it."""
    st.session_state[_DRAWN] = time.monotonic()


def show(desk: Desk) -> None:
    """Draw the query and the hit that is next."""
    st.session_state[_DRAWN] = math.inf
    failed = st.session_state.pop(_FAILED, None)
    if failed:
        st.html(notice("error", "The judgment was not kept: judge the hit again", failed))
    _show_progress(desk)
    plan = _plan(desk)
    write_address()  # before a search that draws the page anew: a browser asks with the address that it knows
    query_id = desk.query.query_id
    if query_id in desk.work.pools:
        pool_filling.show_failures()
        pool_filling.go_on(desk.query_set, desk.query)
        _show_hit(desk)
        _prepare_next(desk, plan)
        return
    st.html(judge_card.heading(desk.query.text))
    if query_id in pool_filling.empty(desk.query_set):
        st.html(notice("info", "No system finds anything for this query", "Go on with the next one."))
    else:
        pool_filling.fill(desk.query_set, desk.query, plan)


def _show_progress(desk: Desk) -> None:
    work, query_id = desk.work, desk.query.query_id
    at = work.order.index(query_id)
    done, _ = work.judged_of_all
    here = len(work.pools.get(query_id, ()))
    told = f"Query {at + 1:,} of {len(work.order):,}"
    if here:
        told += f": {work.judged(query_id)} of its {here} hits judged"
    told += f" · {count(work.finished, 'query')} finished · {count(done, 'hit')} judged in all"
    st.progress(work.finished / len(work.order), text=told)


def _plan(desk: Desk) -> FillingPlan:
    """Draw the way to other queries and the choice of what is shown and judged; return how pools are filled."""
    order = desk.work.order
    at = order.index(desk.query.query_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, shortcut, step in (("Previous", "Left", -1), ("Next", "Right", 1)):
            other = order[(at + step) % len(order)]
            off = len(order) == 1 or bool(dialogs.opened())
            st.button(label, shortcut=shortcut, disabled=off, on_click=_move, args=(other,), key=f"go {step}")
        with st.popover("What is judged"):
            return _chosen_plan(desk)


def _chosen_plan(desk: Desk) -> FillingPlan:
    stages = [*state.client().stages(desk.query_set.index), FIRST_STAGE]
    second = state.select(
        "BM25's hits, and those of", "second", stages, lambda name: "nothing else" if name == FIRST_STAGE else name
    )
    depth = state.select("The first", "depth", DEPTHS, lambda depth: f"{depth} hits of each")
    st.toggle("Show ranks", key="ranks", help="Who sees a hit's rank tends to agree with it.")
    st.toggle("Show what a model proposes", key="proposals", help="Who sees a grade tends to agree with it, too.")
    if second != FIRST_STAGE:
        judge_proposals.offer(desk.query_set, second)
    sides = (Side(),) if second == FIRST_STAGE else (Side(), Side(second))
    plan = FillingPlan(sides, int(depth))
    if desk.query.query_id in desk.work.pools:
        wished = (desk.query_set, desk.query, plan)
        st.button("Add these hits to this query", on_click=pool_filling.fill_again, args=wished)
    return plan


def _show_hit(desk: Desk) -> None:
    query_id = desk.query.query_id
    pooled = state.client().store.pooled(desk.query_set.name, query_id)
    again = st.session_state.get(_AGAIN)
    hits = [again] if again in pooled else desk.work.hits(query_id, desk.judge)
    if not hits:
        st.html(judge_card.heading(desk.query.text))
        st.html(notice("info", "Every hit of this query is judged", "Go on with the next one."))
        _show_grades(desk, None)
    else:
        doc_id = hits[0]
        proposed = [one for one in desk.judgments if _is_proposal(one, query_id, doc_id)]
        shown = proposed if st.session_state["proposals"] else []
        announcer.announce(f"Next hit: {_title(doc_id, pooled)}. For: {desk.query.text}")
        st.html(judge_card.card(desk.query.text, pooled[doc_id], ranks=st.session_state["ranks"], proposals=shown))
        _show_grades(desk, doc_id)
    _show_said(desk, pooled)


def _is_proposal(judgment: Judgment, query_id: str, doc_id: str) -> bool:
    return (judgment.query_id, judgment.doc_id, judgment.origin) == (query_id, doc_id, "model")


def _show_grades(desk: Desk, doc_id: str | None) -> None:
    """Draw the buttons. Their keys stay the same: for a moment a browser has old and new ones, and hears both."""
    blank = Judgment(desk.query_set.name, desk.query.query_id, doc_id or "", desk.judge, None)
    with st.container(horizontal=True, key="grades"):
        for grade, name in enumerate(GRADES):
            _grade_button(name, str(grade), replace(blank, relevance=grade))
        _grade_button("Skip", "S", blank)
        offer_undo(desk.query_set, desk.judge)
        off = doc_id is None or bool(dialogs.opened())
        st.button("Comment", shortcut="M", disabled=off, on_click=_begin_comment, args=(blank,))


def _grade_button(name: str, shortcut: str, judgment: Judgment) -> None:
    st.button(
        name,
        shortcut=shortcut,
        key=f"grade {shortcut}",
        disabled=not judgment.doc_id or bool(dialogs.opened()),
        on_click=_press,
        args=(judgment,),
    )


def offer_undo(query_set: QuerySet, judge: str) -> None:
    """Draw the button that takes a judge's last word back."""
    st.button("Undo", shortcut="U", disabled=bool(dialogs.opened()), on_click=_undo, args=(query_set.name, judge))


def _begin_comment(blank: Judgment) -> None:
    st.session_state[COMMENT] = blank
    dialogs.open_one(COMMENT)


@st.dialog("Comment", on_dismiss=dialogs.close)
def open_comment() -> None:
    """Take a comment together with the judgment that it belongs to: of the hit that was shown when it was opened."""
    blank: Judgment = st.session_state[COMMENT]
    comment = st.text_area("What should be known of this judgment?", max_chars=LONGEST_COMMENT, key="comment").strip()
    with st.container(horizontal=True):
        for grade, name in [*enumerate(GRADES), (None, "Skip")]:
            if st.button(name, shortcut="S" if grade is None else str(grade), key=f"commented {name}"):
                _judge(replace(blank, relevance=grade, comment=comment))
                if _FAILED not in st.session_state:
                    dialogs.close()
                    st.rerun()
    if _FAILED in st.session_state:
        st.html(notice("error", "The judgment was not kept: judge the hit again", st.session_state.pop(_FAILED)))


def _show_said(desk: Desk, pooled: Mapping[str, Pooled]) -> None:
    said = [one for (query_id, _), one in desk.work.said.items() if query_id == desk.query.query_id]
    if not said:
        return
    titles = apart({one.doc_id: _title(one.doc_id, pooled) for one in said})
    with st.expander(f"Judged here: {len(said)}"):
        st.html(judge_card.said_table(said, list(titles.values())))
        known = [doc_id for doc_id in titles if doc_id in pooled]
        again = st.selectbox(
            "Judge again",
            known,
            index=None,
            format_func=titles.__getitem__,
            key=f"again {desk.query.query_id} {len(said)} {said[-1].at}",
        )
        if again is not None and st.session_state.get(_AGAIN) != again:
            _open_again(desk.query.query_id, again)
            st.rerun()


def _title(doc_id: str, pooled: Mapping[str, Pooled]) -> str:
    return (pooled[doc_id].document.title if doc_id in pooled else "") or doc_id


def _move(query_id: str) -> None:
    go(query_id)
    st.session_state[_MOVED] = True


def _press(judgment: Judgment) -> None:
    """Judge the hit that is shown, unless nobody can have seen it yet: a key that was held down or pressed twice."""
    if time.monotonic() - st.session_state[_DRAWN] > _SEEN_AFTER_S:
        _judge(judgment)


def _judge(judgment: Judgment) -> None:
    """Put a judgment into the store; where it cannot be, the hit stays."""
    try:
        state.client().judge(judgment)
    except ProRankError as error:
        st.session_state[_FAILED] = str(error)
        return
    for key in (_STAY, _AGAIN):
        st.session_state.pop(key, None)
    st.session_state[_MOVED] = True


def _undo(query_set: str, judge: str) -> None:
    """Take the judge's last word back, and show its hit again."""
    try:
        undone = state.client().undo(query_set, judge)
    except ProRankError as error:
        st.session_state[_FAILED] = str(error)
        return
    if undone is None:
        st.toast("You said nothing in this set that could be taken back.")
    else:
        _open_again(undone.query_id, undone.doc_id)


def _open_again(query_id: str, doc_id: str) -> None:
    _move(query_id)
    st.session_state[_AGAIN] = doc_id


def _prepare_next(desk: Desk, plan: FillingPlan) -> None:
    """Search the next query already while this one is judged."""
    ahead = desk.work.next_unpooled(desk.query.query_id, pool_filling.empty(desk.query_set))
    if ahead is not None:
        pool_filling.prepare(desk.query_set, desk.queries[ahead], plan)
