"""Judge in Streamlit's own test runner: each state, and what a click writes before the next hit shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.judgments.pooling import Pooled
from prorank_search.types import Document, Qrel, Query
from prorank_ui.judge import judge_desk, judging, pool_filling
from tests.ui.conftest import PATIENCE_S, address_of, run_until, when_ended

SCRIPT = "from prorank_ui.app_pages import judge\njudge.page()\n"
DOGS = Query("q1", "barking dog")


@pytest.fixture
def store(home: Path) -> Iterator[JudgmentStore]:
    store = JudgmentStore(home / FILE_NAME)
    yield store
    store.close()


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:  # noqa: ARG001 (the app reads it)
    monkeypatch.setattr(judge_desk, "_SEEN_AFTER_S", -1.0)  # a test is quicker than a person
    app = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S)
    app.session_state["judge"] = "ada"
    return app


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheet."""
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)


def hit(app: AppTest) -> str:
    """Return the document that is judged."""
    return drawn(app).partition('data-doc="')[2].partition('"')[0]


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def run_until_there_is_a_hit(app: AppTest) -> None:
    run_until(app, lambda: bool(hit(app)))


def pooled(*names: str) -> list[Pooled]:
    return [Pooled(Document(name, f"A {name}."), {"BM25": at}) for at, name in enumerate(names, start=1)]


def test_who_judges_is_asked_once(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("fox"))
    app.session_state["judge"] = ""
    app.run()
    assert "Who judges?" in drawn(app)
    app.text_input[0].set_value(" bo ")
    press(app, "Start judging")
    assert hit(app) == "fox"
    press(app, "perfect")
    assert [(one.judge, one.relevance) for one in store.judgments("dogs")] == [("bo", 3)]


def test_without_an_index_and_without_a_set_the_page_says_what_to_do(app: AppTest) -> None:
    app.run()
    assert "There is no index yet" in drawn(app)


@pytest.mark.usefixtures("animals")
def test_a_set_without_a_name_or_without_queries_is_not_made(app: AppTest, store: JudgmentStore) -> None:
    app.run()
    press(app, "Make the set")
    assert "there is no query: type one a line" in drawn(app)
    app.text_area(key="typed queries").set_value("dog")
    press(app, "Make the set")
    assert "the set has no name" in drawn(app)
    assert store.query_sets() == []


@pytest.mark.usefixtures("stages")
def test_the_judged_queries_of_a_beir_folder_become_a_set(
    app: AppTest, home: Path, animals: str, store: JudgmentStore
) -> None:
    folder = home / "collections" / "zoo"
    (folder / "qrels").mkdir(parents=True)
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "dog"}\n{"_id": "2", "text": "fox"}\n')
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n2\tfox\t1\n")
    app.run()
    app.button_group(key="queries from").set_value("A BEIR folder").run()
    app.text_input(key="new set").set_value("foxes")
    press(app, "Make the set")
    assert (store.query_set("foxes").index, store.queries("foxes")) == (animals, {"2": Query("2", "fox")})


@pytest.mark.usefixtures("stages")
def test_typed_queries_become_a_set_whose_hits_are_found_by_both_stages(
    app: AppTest, animals: str, store: JudgmentStore
) -> None:
    app.run()
    assert "There is no query set yet" in drawn(app)
    app.text_input(key="new set").set_value("dogs")
    app.text_area(key="typed queries").set_value("barking dog\nzebra")
    press(app, "Make the set")
    run_until_there_is_a_hit(app)
    (first, second) = store.queries("dogs").values()
    assert (store.query_set("dogs").index, first.text, second.text) == (animals, "barking dog", "zebra")
    found = store.pooled("dogs", first.query_id)
    assert set(found) == {"dog", "fox", "evil", "hebrew"}
    assert found["dog"].ranks.keys() == {"BM25", "reversing-1"}, drawn(app)
    assert len(store.qrels("dogs", origin="model")) == 4
    assert store.qrels("dogs") == []


@pytest.mark.usefixtures("stages")
def test_a_set_for_whose_queries_nothing_is_found_says_so(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("words", animals, [Query("q1", "zyzzyva")])
    run_until(app, lambda: "No system finds anything for this set" in drawn(app))
    assert "judged" not in drawn(app)


def test_a_grade_is_in_the_store_before_the_next_hit_shows(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog", "fox", "evil"))
    app.run()
    first = hit(app)
    press(app, "relevant")
    assert store.qrels("dogs") == [Qrel("q1", first, 2)]
    assert hit(app) != first
    again = AppTest.from_string(SCRIPT, default_timeout=PATIENCE_S)  # a reload is a new session
    again.session_state["judge"] = "ada"
    again.query_params["set"] = "dogs"
    again.run()
    assert hit(again) == hit(app)


def test_undo_brings_the_last_hit_back_and_skips_come_back_when_asked_for(
    app: AppTest, animals: str, store: JudgmentStore
) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog", "fox"))
    app.run()
    first = hit(app)
    press(app, "perfect")
    second = hit(app)
    press(app, "Undo")
    assert (hit(app), store.qrels("dogs")) == (first, [])
    press(app, "Skip")
    assert hit(app) == second
    press(app, "marginal")
    assert "Nothing is left to judge: 1 of 2 hits judged" in drawn(app)
    press(app, "Undo")
    assert hit(app) == second
    press(app, "marginal")
    app.selectbox(key="which").set_value("skipped").run()
    assert hit(app) == first
    press(app, "not relevant")
    assert sorted(store.qrels("dogs")) == sorted([Qrel("q1", first, 0), Qrel("q1", second, 1)])


def test_ranks_and_proposals_are_hidden_until_asked_for(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog"))
    store.judge(Judgment("dogs", "q1", "dog", "model-1", 3, origin="model"))
    app.run()
    assert "rank 1" not in drawn(app)
    assert "proposes" not in drawn(app)
    app.toggle(key="ranks").set_value(True)
    app.toggle(key="proposals").set_value(True).run()
    assert "BM25: rank 1" in drawn(app)
    assert "model-1 proposes: perfect" in drawn(app)
    assert store.qrels("dogs") == []


def test_a_model_proposes_grades_for_pooled_hits_as_a_job(
    app: AppTest, home: Path, animals: str, stages: Path, store: JudgmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(stages))
    store.add_queries("-dogs", animals, [DOGS])
    store.pool("-dogs", "q1", pooled("dog", "fox"))
    app.run()
    press(app, "Let the model propose grades")
    (job,) = jobs.jobs(home / "jobs", judging.PROPOSING)
    assert jobs.status(when_ended(job)).state == "finished", jobs.output(job)
    assert store.qrels("-dogs") == []
    assert sorted(store.qrels("-dogs", "model")) == [Qrel("q1", "dog", 2), Qrel("q1", "fox", 2)]
    app.run()
    assert any("reversing\\-1 proposes grades for 2 hits" in text.value for text in app.caption)
    assert "proposes: " not in drawn(app)
    app.toggle(key="proposals").set_value(True).run()
    assert "reversing-1 proposes: relevant" in drawn(app)


def test_proposals_are_exported_on_their_own_and_when_asked_for(animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog"))
    store.judge(Judgment("dogs", "q1", "dog", "model-1", 3, origin="model"))
    script = "from prorank_ui import state\nfrom prorank_ui.judge import judgment_exchange\n"
    script += "judgment_exchange.export(state.client().store.query_sets()[0])\n"
    app = AppTest.from_string(script, default_timeout=PATIENCE_S).run()
    assert app.caption[0].value.startswith("0 documents: each")
    assert not app.get("download_button")
    app.toggle(key="export proposals").set_value(True).run()
    assert app.caption[0].value == "1 document: each with the median of what models propose."
    (download,) = app.get("download_button")
    assert download.proto.label == "Download"


def test_without_a_model_nothing_proposes(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog"))
    app.run()
    app.selectbox(key="second").set_value("bm25").run()
    assert "Let the model propose grades" not in [button.label for button in app.button]


def test_the_agreement_of_judges_shows_with_what_they_dispute(app: AppTest, animals: str, store: JudgmentStore) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog", "fox", "evil"))
    for judge, grades in {"bo": (0, 3), "cy": (0, 1)}.items():
        store.judge(
            *(Judgment("dogs", "q1", doc, judge, grade) for doc, grade in zip(("dog", "fox"), grades, strict=True))
        )
    app.run()
    assert "Agreement of 2 judges: Krippendorff's α 0.83" in app.expander[-1].label
    assert "bo: perfect, cy: marginal" in drawn(app)


def test_a_second_press_before_the_hit_can_be_seen_judges_nothing(
    app: AppTest, animals: str, store: JudgmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog", "fox"))
    monkeypatch.setattr(judge_desk, "_SEEN_AFTER_S", 600.0)
    app.run()
    press(app, "perfect")
    assert store.judgments("dogs") == []


def test_the_browsers_back_leads_to_the_query_before_and_stays_there(
    app: AppTest, animals: str, store: JudgmentStore
) -> None:
    store.add_queries("dogs", animals, [DOGS, Query("q2", "fox")])
    for query_id in ("q1", "q2"):
        store.pool("dogs", query_id, pooled("dog"))
    app.run()
    press(app, "perfect")
    assert address_of(app)["query"] == "q2"
    press(app, "Previous")
    press(app, "Next")
    app.query_params["query"] = "q1"  # Back
    app.run()
    assert "Every hit of this query is judged" in drawn(app)
    assert address_of(app)["query"] == "q1"


def test_a_button_that_is_pressed_before_the_browser_knows_the_new_address_goes_on(
    app: AppTest, animals: str, store: JudgmentStore
) -> None:
    store.add_queries("dogs", animals, [DOGS, Query("q2", "fox"), Query("q3", "cat")])
    for query_id in ("q1", "q2", "q3"):
        store.pool("dogs", query_id, pooled("dog"))
    app.run()
    press(app, "Next")
    app.query_params["query"] = "q1"  # of the request that the second press sends
    press(app, "Next")
    assert address_of(app)["query"] == "q3"


@pytest.mark.usefixtures("animals")
def test_a_first_set_comes_in_with_its_judgments(
    app: AppTest, store: JudgmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ratings:
        name = "ratings.csv"

        def getvalue(self) -> bytes:
            return b"query,docid,rating\nbarking dog,dog,3\n"

    monkeypatch.setattr(st, "file_uploader", lambda *_args, **_kwargs: Ratings())
    app.run()
    app.text_input(key="imported set").set_value("shop").run()
    press(app, "Import")
    assert [(one.name, one.index) for one in store.query_sets()] == [("shop", "animals")]
    assert [(one.judge, one.relevance) for one in store.judgments("shop")] == [("imported", 3)]
    assert app.session_state["set"] == "shop"


@pytest.mark.usefixtures("stages")
def test_hits_that_are_added_to_a_query_come_in_whatever_is_clicked_meanwhile(
    app: AppTest, animals: str, store: JudgmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog"))
    app.run()
    with monkeypatch.context() as waiting:
        waiting.setattr(pool_filling, "_poll", lambda *_: None)  # the searches are at work
        press(app, "Add these hits to this query")
        app.toggle(key="ranks").set_value(True).run()
    run_until(app, lambda: set(store.pooled("dogs", "q1")) == {"dog", "fox", "evil", "hebrew"})


def test_behind_a_dialog_no_key_judges_and_a_comment_goes_with_its_grade(
    app: AppTest, animals: str, store: JudgmentStore
) -> None:
    store.add_queries("dogs", animals, [DOGS, Query("q2", "fox")])
    store.pool("dogs", "q1", pooled("dog", "fox"))
    app.run()
    keys = [button.key for button in app.button if button.proto.shortcut]
    assert not any(app.button(key=key).disabled for key in keys if key)
    press(app, "Comment")
    alive = [button.key for button in app.button if button.proto.shortcut and not button.disabled]
    assert alive == [f"commented {name}" for name in ("not relevant", "marginal", "relevant", "perfect", "Skip")]
    app.text_area(key="comment").set_value("only the title fits")
    app.button(key="commented marginal").click().run()
    (said,) = store.judgments("dogs")
    assert (said.relevance, said.comment) == (1, "only the title fits")
    assert not app.button(key="grade 2").disabled
    press(app, "New set")
    assert not [button for button in app.button if button.proto.shortcut and not button.disabled]


def test_a_judgment_that_cannot_be_kept_is_said_and_its_hit_stays(
    app: AppTest, animals: str, home: Path, store: JudgmentStore
) -> None:
    store.add_queries("dogs", animals, [DOGS])
    store.pool("dogs", "q1", pooled("dog", "fox"))
    app.run()
    first = hit(app)
    with sqlite3.connect(home / FILE_NAME) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON judgments BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    press(app, "perfect")
    assert "The judgment was not kept" in drawn(app)
    assert "disk full" in drawn(app)
    assert hit(app) == first
