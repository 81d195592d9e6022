"""From Compare to Judge: the query and both sides' hits into the pool of a query set."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from prorank_search.errors import ProRankError
from prorank_search.judgments import query_id_of
from prorank_search.types import Query, SearchResult
from prorank_ui import state
from prorank_ui.app_pages import judge
from prorank_ui.choices import Choice
from prorank_ui.compare.ranking_table import Place
from prorank_ui.drawing.notices import notice
from prorank_ui.judge.pool_filling import put_in
from prorank_ui.judge.query_set_form import LONGEST_NAME


def offer(choice: Choice, results: Mapping[Place, SearchResult], names: Mapping[Place, str], depth: int) -> None:
    """Draw the button that puts hits into a query set and goes on to judge them, for those who may.

    Args:
        choice: The query and the index.
        results: What each side found.
        names: What each side is called.
        depth: Hits of each that are judged.
    """
    client = state.client()
    if not client.person().may("judge"):
        return
    own, last = f"{choice.index} from Compare", f"query set of {choice.index} that Compare put hits into"
    sets = [own, *(one.name for one in client.store.query_sets() if one.index == choice.index and one.name != own)]
    at = sets.index(st.session_state[last]) if st.session_state.get(last) in sets else 0
    with st.popover("Judge these hits"):
        name = st.selectbox("Query set", sets, index=at, accept_new_options=True, help="Or type a new name.")
        if st.button("Judge") and name and name.strip():
            query = Query(query_id_of(choice.query), choice.query)
            try:
                query_set = name.strip()[:LONGEST_NAME]
                client.add_queries(query_set, choice.index, [query])
                put_in(query_set, query.query_id, _by_name(results, names), depth)
            except ProRankError as error:
                st.html(notice("error", "These hits cannot be added to the set", str(error)))
                return
            st.session_state[last] = query_set
            judge.go_to(query_set, query.query_id)


def _by_name(results: Mapping[Place, SearchResult], names: Mapping[Place, str]) -> dict[str, SearchResult]:
    """Return the results by names that differ: one model can be on both sides, with two blends."""
    alike = len(set(names.values())) < len(names)
    return {f"{names[place]} ({place})" if alike else names[place]: result for place, result in results.items()}
