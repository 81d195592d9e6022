"""Evaluate in Streamlit's own test runner: from the first visit to two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.evaluation.evaluate import first_stage_of
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.profiles import Profile
from prorank_search.search import load_backend
from prorank_search.settings import load_settings
from prorank_search.types import Query
from prorank_ui.choices import Side
from prorank_ui.evaluate import evaluating, standings, unjudged
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from tests.ui.conftest import PATIENCE_S, when_ended

PAGE = """
from prorank_ui.app_pages import evaluate
evaluate.page()
"""


@pytest.fixture
def app(home: Path) -> AppTest:  # noqa: ARG001 (the page reads it from the environment)
    return AppTest.from_string(PAGE, default_timeout=PATIENCE_S)


@pytest.fixture
def query_set(animals: str, home: Path) -> str:
    """A query set with judgments over the animals."""
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries(
        "zoo", animals, [Query("1", "a fox at the dog"), Query("2", "<b>barking</b> dog"), Query("3", "?")]
    )
    store.judge(Judgment("zoo", "1", "fox", "ada", 3), Judgment("zoo", "2", "dog", "ada", 2))
    store.close()
    return "zoo"


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheets."""
    assert not app.exception
    return "".join(element.proto.body for element in app.get("html") if "<style>" not in element.proto.body)


def measured(home: Path, *sides: Side, index: str = "animals") -> jobs.Job:
    """Start a run and wait until it ends."""
    wish = EvaluationWish(Source("zoo", index), "test", index, sides)
    job = evaluating.start(home, wish, load_settings(index=index), Profile())
    return when_ended(job)


def test_without_an_index_the_page_says_what_to_do(app: AppTest) -> None:
    assert "There is no index yet" in drawn(app.run())


@pytest.mark.usefixtures("animals")
def test_without_judged_queries_the_page_says_where_they_come_from(app: AppTest) -> None:
    assert "There are no queries with judgments yet" in drawn(app.run())


@pytest.mark.usefixtures("query_set")
def test_a_run_is_started_and_shown_as_a_job(app: AppTest, home: Path) -> None:
    app.run()
    app.selectbox(key="system 2").set_value("overlap").run()
    app.number_input(key="limit").set_value(2)  # and Start is pressed at once
    app.button(key="start evaluation").click().run()
    assert not app.exception
    (job,) = jobs.jobs(home / "jobs", "evaluate")
    assert job.title == "zoo: BM25, overlap"
    assert json.loads((job.folder / evaluating.SUITE).read_text("utf-8"))["limit_queries"] == 2
    jobs.stop(job)


@pytest.mark.usefixtures("query_set")
def test_a_run_shows_systems_queries_and_what_nobody_judged(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = measured(home, Side(), Side("overlap", window="20", blend="replace:none:1:1"))
    assert jobs.status(job).state == "finished", jobs.output(job)
    html = drawn(app.run())
    assert "overlap, 20 hits, its scores alone" in html
    assert "These scores may be unreliable" in html
    assert "&lt;b&gt;barking&lt;/b&gt; dog</a>" in html
    assert "left=bm25&amp;right=overlap&amp;right_window=20&amp;right_blend=replace" in html
    assert any("no judgment: what nobody judged" in caption.value for caption in app.caption)
    assert any("that of smaller ones is estimated" in caption.value for caption in app.caption)
    app.selectbox(key="measure").set_value("map@100").run()
    assert '<th scope="col" class="pt-number">map@100</th>' in drawn(app)
    monkeypatch.setenv("PRORANK_URL", "http://127.0.0.1:1")
    st.cache_resource.clear()
    html = drawn(app.run())
    assert "No evaluation can be started" in html
    assert "overlap, 20 hits, its scores alone" in html


@pytest.mark.usefixtures("query_set")
def test_what_nobody_judged_is_put_in_front_of_the_judges(home: Path) -> None:
    run = standings.read_run(measured(home, Side(), Side("overlap", window="20")))
    assert run.unjudged["1"]
    store = JudgmentStore(home / FILE_NAME)
    find = first_stage_of(load_backend(load_settings()), run.index, Profile())
    first = unjudged.put_into_pools(run, find, store.pool)
    assert first == "1"
    assert {query_id: set(pool) for query_id, pool in store.pools("zoo").items()} == {
        query_id: set(doc_ids) for query_id, doc_ids in run.unjudged.items()
    }
    assert all(hit.document.text for hit in store.pooled("zoo", "1").values())
    store.close()


@pytest.mark.usefixtures("query_set")
def test_two_runs_stand_side_by_side_and_the_address_names_them(app: AppTest, home: Path) -> None:
    first, second = measured(home, Side()), measured(home, Side("overlap", window="10"))
    app.query_params["run"] = f"{first.job_id},{second.job_id}"
    html = drawn(app.run())
    assert "BM25" in html
    assert "overlap, 10 hits" in html
    assert app.multiselect(key="evaluate runs").value == [first.job_id, second.job_id]
    app.multiselect(key="evaluate runs").set_value([]).run()
    assert app.multiselect(key="evaluate runs").value == []
    app.multiselect(key="evaluate runs").set_value([second.job_id]).run()
    app.query_params["run"] = first.job_id  # Back
    app.run()
    assert app.multiselect(key="evaluate runs").value == [first.job_id]


@pytest.mark.usefixtures("query_set")
def test_a_run_that_failed_says_why_and_can_be_resumed_or_dismissed(app: AppTest, home: Path) -> None:
    job = measured(home, Side("nobody", window="10"))
    html = drawn(app.run())
    assert "This evaluation failed" in html
    assert "no plugin &#x27;nobody&#x27;" in html
    assert app.button(key=f"resume {job.job_id}").label == "Resume"
    app.button(key=f"dismiss {job.job_id}").click().run()
    assert "This evaluation failed" not in drawn(app)
    assert "This evaluation failed" not in drawn(app.run())
    assert jobs.jobs(home / "jobs") == [job]


@pytest.mark.usefixtures("query_set")
def test_two_equal_systems_are_refused(app: AppTest, home: Path) -> None:
    app.run()
    app.selectbox(key="system 2").set_value("bm25").run()
    app.button(key="start evaluation").click().run()
    assert "two systems are the same: BM25" in drawn(app)
    assert jobs.jobs(home / "jobs") == []


def test_a_query_set_whose_index_is_gone_is_told(app: AppTest, animals: str, home: Path) -> None:
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("old", "gone", [Query("1", "dog")])
    store.close()
    assert animals
    assert "The index &#x27;gone&#x27; is not there" in drawn(app.run())
