"""The page in Streamlit's own test runner: what a person sees in each state of the installation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.rescorers.function import from_function
from prorank_search.types import Document, Query
from prorank_ui.app_pages import judge
from prorank_ui.cli import SCRIPT
from prorank_ui.clients import local_client
from prorank_ui.clients.local_client import LocalClient
from prorank_ui.compare import shown_hits
from tests.ui.conftest import PATIENCE_S, address_of


@pytest.fixture
def app(home: Path) -> AppTest:  # noqa: ARG001 (the app reads it from the environment)
    return AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE_S)


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheet."""
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)


def titles(side: str) -> list[str]:
    return [part.partition("</button>")[0].partition(">")[2] for part in side.split('class="pr-title"')[1:]]


def sides(html: str) -> tuple[str, str]:
    left, _, right = html.partition("pr-after")
    return left, right


def calls() -> int:
    stage = sys.modules["stages_for_tests"]
    number: int = stage.Stage.calls
    return number


def test_a_first_run_without_index_shows_the_command_that_makes_one(app: AppTest) -> None:
    app.run()
    assert "There is no index yet" in drawn(app)
    assert "prorank ingest" in app.code[0].value


@pytest.mark.usefixtures("animals", "stages")
def test_without_a_query_the_page_says_what_to_do(app: AppTest) -> None:
    app.run()
    assert "4 documents to search" in drawn(app)
    assert app.query_params == {}


@pytest.mark.usefixtures("animals", "stages")
def test_a_query_shows_both_rankings_with_movement_and_probability(app: AppTest) -> None:
    app.run()
    app.text_input(key="q").set_value("barking dog").run()
    left, right = sides(drawn(app))
    assert len(titles(left)) == len(titles(right)) == 4
    assert titles(left) == titles(right)[::-1]
    assert "the best hit rose from 4 to 1" in left
    assert " · right: BM25 " in left
    assert "now 4" in left
    assert "was 4" in right
    assert "width:95%" in right
    assert ">cut</span>" in right


@pytest.mark.usefixtures("animals", "stages")
def test_the_address_carries_the_search_and_is_followed(app: AppTest) -> None:
    app.query_params.update({"q": "fox", "index": "animals", "right": "overlap", "right_window": "20"})
    app.run()
    assert app.text_input(key="q").value == "fox"
    assert app.selectbox(key="right").value == "overlap"
    assert app.selectbox(key="right_window").value == "20"
    app.text_input(key="q").set_value("dog").run()
    address = address_of(app)
    assert address.pop("right_revision")
    assert address == {
        "q": "dog",
        "index": "animals",
        "left": "bm25",
        "right": "overlap",
        "right_window": "20",
        "right_blend": "replace:none:1:1",
        "show": "all",
        "page": "1",
    }


@pytest.mark.usefixtures("stages")
def test_what_is_judged_from_here_goes_into_a_set_of_its_own_until_another_is_chosen(
    app: AppTest, animals: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("a curated one", animals, [Query("1", "dog")])
    monkeypatch.setattr(judge, "go_to", lambda *_: None)
    app.query_params.update({"q": "fox", "right": "overlap"})
    app.run()
    chosen = next(box for box in app.selectbox if box.label == "Query set")
    assert chosen.value == "animals from Compare"
    chosen.set_value("a curated one")
    next(button for button in app.button if button.label == "Judge").click().run()
    app.text_input(key="q").set_value("dog").run()
    assert next(box for box in app.selectbox if box.label == "Query set").value == "a curated one"
    store.close()


@pytest.mark.usefixtures("animals", "stages")
def test_a_saved_comparison_opens_in_another_session_as_it_was(app: AppTest) -> None:
    app.query_params.update({"q": "fox", "index": "animals", "left": "overlap", "right_window": "20"})
    app.run()
    next(button for button in app.button if button.label == "Save under a short address").click().run()
    saved = app.code[0].value.partition("?saved=")[2]
    another = AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE_S)
    another.query_params["saved"] = saved
    another.run()
    assert another.text_input(key="q").value == "fox"
    assert another.selectbox(key="left").value == "overlap"
    assert another.selectbox(key="right_window").value == "20"
    assert [titles(side) for side in sides(drawn(another))] == [titles(side) for side in sides(drawn(app))]
    another.run()  # Streamlit learns what the browser's address already says
    assert address_of(another) == address_of(app)


@pytest.mark.usefixtures("animals", "stages")
def test_a_link_says_where_the_model_is_another_one_now(app: AppTest) -> None:
    link = {"q": "dog", "index": "animals", "left": "overlap", "left_revision": "overlap-1", "right": "reversing"}
    app.query_params.update(link | {"right_revision": "0" * 40})
    app.run()
    assert "The right side no longer scores as it did when this link was made: reversing-1 had" in drawn(app)
    assert "00000000000…000000000000 then and has 1 now" in drawn(app)
    assert "The left side no longer" not in drawn(app)
    app.run()
    assert "no longer scores" in drawn(app)
    app.text_input(key="q").set_value("fox").run()
    assert "no longer scores" not in drawn(app)


@pytest.mark.usefixtures("animals", "stages")
def test_a_link_to_the_model_of_now_says_nothing(app: AppTest) -> None:
    app.query_params.update({"q": "dog", "index": "animals", "right": "reversing", "right_revision": "1"})
    app.run()
    assert titles(drawn(app))
    assert "no longer scores" not in drawn(app)


@pytest.mark.usefixtures("animals", "stages")
def test_an_address_that_names_nothing_installed_falls_back_to_the_defaults(app: AppTest) -> None:
    app.query_params.update({"q": "fox", "index": "gone", "right": "<script>"})
    app.run()
    assert app.selectbox(key="index").value == "animals"
    assert app.selectbox(key="right").value == "reversing"


@pytest.mark.usefixtures("stages")
def test_an_index_that_answers_the_demos_questions_offers_them_first(app: AppTest, home: Path) -> None:
    with TantivyBackend(home / "indexes").writer("python", analysis="english", replace=True) as writer:
        writer.add([Document("objects", "Every object has an identity.", title="Objects and values")])
        writer.publish()
    app.run()
    assert [button.key for button in app.main.button] == ["example what is the difference between is and =="]


@pytest.mark.usefixtures("animals", "stages")
def test_another_stage_than_the_one_that_is_set_up_takes_a_model_of_its_own(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalClient, "models", lambda _self, stage: {f"model of {stage}": f"model of {stage}"})
    app.run()
    assert app.selectbox(key="right_model").options == ["as set up", "model of reversing"]
    app.selectbox(key="right").set_value("overlap").run()
    assert app.selectbox(key="right_model").value == "model of overlap"
    assert app.selectbox(key="right_model").options == ["model of overlap"]


@pytest.mark.usefixtures("animals", "stages")
def test_the_blend_that_a_link_brings_is_said_in_words_and_goes_to_no_other_model(app: AppTest) -> None:
    app.query_params.update({"q": "dog", "right": "reversing", "right_blend": "total:zscore:1:8"})
    app.run()
    assert app.selectbox(key="right_blend").value == "total:zscore:1:8"
    assert "BM25 + 8 × its scores" in app.selectbox(key="right_blend").options
    app.selectbox(key="right").set_value("overlap").run()
    assert app.selectbox(key="right_blend").value == ""
    app.selectbox(key="right_blend").set_value("rrf:none:1:1").run()
    app.selectbox(key="right").set_value("reversing").run()
    assert app.selectbox(key="right_blend").value == "rrf:none:1:1"


@pytest.mark.usefixtures("animals", "stages")
def test_what_each_side_is_can_be_read_where_both_have_one_model(app: AppTest) -> None:
    link = {"q": "dog", "left": "overlap", "left_window": "10", "right": "overlap", "right_blend": "total:zscore:1:8"}
    app.query_params.update(link)
    app.run()
    left, right = sides(drawn(app))
    assert 'aria-label="overlap, 4 hits, its scores alone"' in left
    assert 'aria-label="overlap, 4 hits, BM25 + 8 × its scores"' in right + left
    assert "4 hits rescored, by BM25 + 8 × its scores · " in right
    labels = [popover.proto.popover.label.replace("\\", "") for popover in app.get("popover")]
    assert labels[:2] == ["Left: overlap, 10 hits", "Right: overlap, BM25 + 8 × its scores"]


@pytest.mark.usefixtures("animals", "stages")
def test_two_checkpoints_of_one_name_are_called_as_the_list_calls_them(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalClient, "models", lambda *_: {"/runs/1": "shop (18:31)", "/runs/2": "shop (19:02)"})
    both = {"left": "reversing", "left_model": "/runs/1", "right": "reversing", "right_model": "/runs/2"}
    app.query_params.update({"q": "dog"} | both)
    app.run()
    left, right = sides(drawn(app))
    assert '<h2 dir="auto">shop (18:31), 4 hits, its scores alone</h2>' in left
    assert '<h2 dir="auto">shop (19:02), 4 hits, its scores alone</h2>' in right


@pytest.mark.usefixtures("animals", "stages")
def test_a_failed_second_stage_is_shown_as_failed_and_never_as_no_hits(app: AppTest) -> None:
    app.query_params.update({"q": "dog", "right": "failing"})
    app.run()
    left, right = sides(drawn(app))
    assert "the device ran out of memory" in right
    assert "pr-error" in right
    assert titles(right) == []
    assert len(titles(left)) == 4
    assert "now " not in left


@pytest.mark.usefixtures("animals", "stages")
def test_a_second_stage_that_ran_out_of_time_is_shown_as_partial_and_goes_on_when_it_is_told_to(app: AppTest) -> None:
    app.query_params.update({"q": "dog", "right": "slow"})
    app.run()
    assert "Only a part was rescored" in drawn(app)
    assert "1 of 4 hits were scored in time. Choose fewer “Hits rescored”" in drawn(app)
    assert "1 of 4 hits rescored" in drawn(app)
    assert "not scored" in drawn(app)
    before = calls()
    app.button_group[0].set_value("up").run()
    assert "No hit of this kind" in drawn(app)
    assert calls() == before
    app.button(key="rest right").click().run()
    assert calls() == before + 1


@pytest.mark.usefixtures("animals", "stages")
def test_a_window_of_fewer_hits_than_are_shown_is_told(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_WINDOW_SIZE", "2")
    app.query_params["q"] = "dog"
    app.run()
    assert "Only the first 2 hits of BM25 were rescored" in drawn(app)
    app.selectbox(key="right_window").set_value("10").run()
    assert "Only the first" not in drawn(app)


@pytest.mark.usefixtures("animals", "stages")
def test_the_same_search_is_not_scored_twice(app: AppTest) -> None:
    app.query_params["q"] = "dog"
    app.run()
    before = calls()
    app.run()
    assert calls() == before
    app.text_input(key="q").set_value("fox").run()
    assert calls() == before + 1


@pytest.mark.usefixtures("animals")
def test_another_blend_of_the_same_hits_asks_no_model(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def lengths(_: str, texts: Sequence[str]) -> list[float]:
        asked.extend(texts)
        return [float(len(text)) for text in texts]

    monkeypatch.setattr(local_client, "load_rescorer", lambda *_: from_function(lengths))
    app.query_params["q"] = "dog"
    app.run()
    assert len(asked) == 4
    app.selectbox(key="right_blend").set_value("total:zscore:1:2").run()
    assert drawn(app)
    assert len(asked) == 4


@pytest.mark.usefixtures("animals", "stages")
def test_another_query_begins_with_all_hits_and_the_first_page(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_hits, "HITS_A_PAGE", 1)
    app.query_params.update({"q": "dog", "right": "overlap"})
    app.run()
    app.button_group(key="page").set_value("3").run()
    assert drawn(app).count('class="pr-title"') == 2
    app.text_input(key="q").set_value("barks").run()
    assert [group.value for group in app.button_group] == ["all", "1"]


@pytest.mark.usefixtures("animals", "stages")
def test_a_link_shows_the_kind_of_hits_and_the_page_that_were_seen(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_hits, "HITS_A_PAGE", 1)
    app.query_params.update({"q": "barking dog"})
    app.run()
    app.button_group(key="page").set_value("2").run()
    app.button_group(key="show").set_value("up").run()
    assert (address_of(app)["show"], address_of(app)["page"]) == ("up", "1")
    app.button_group(key="page").set_value("2").run()
    another = AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE_S)
    another.query_params.update(address_of(app))
    another.run()
    assert [group.value for group in another.button_group] == ["up", "2"]
    assert [titles(side) for side in sides(drawn(another))] == [titles(side) for side in sides(drawn(app))]
    another.query_params.update({"show": "all", "page": "9"})
    another.run()
    assert [group.value for group in another.button_group] == ["all", "1"]


@pytest.mark.usefixtures("stages")
def test_a_changed_index_is_searched_again(app: AppTest, home: Path, animals: str) -> None:
    app.query_params["q"] = "dog"
    app.run()
    with TantivyBackend(home / "indexes").writer(animals, analysis="english", replace=False) as writer:
        writer.add([Document("puppy", "A dog, very young.", title="Puppies")])
        writer.publish()
    app.run()
    assert "Puppies" in titles(drawn(app))


@pytest.mark.usefixtures("animals", "stages")
def test_a_missing_model_names_the_command_and_offers_the_stand_in(app: AppTest) -> None:
    app.query_params.update({"q": "dog", "right": "missing"})
    app.run()
    left, right = sides(drawn(app))
    assert len(titles(left)) == 4
    assert "pr-error" in right
    assert "prorank models pull" in app.code[0].value
    app.button[0].click().run()
    assert app.selectbox(key="right").value == "overlap"
    assert len(titles(sides(drawn(app))[1])) == 4


@pytest.mark.usefixtures("animals", "stages")
def test_a_query_that_finds_nothing_says_so(app: AppTest) -> None:
    app.query_params["q"] = "submarine"
    app.run()
    assert "No document holds a word of this query" in drawn(app)


@pytest.mark.usefixtures("animals", "stages")
def test_a_side_that_failed_is_told_where_the_other_one_finds_nothing(app: AppTest) -> None:
    app.query_params.update({"q": "submarine", "right": "missing"})
    app.run()
    assert "The model is not on this machine" in drawn(app)
    assert "Nothing was found" in drawn(app)


@pytest.mark.usefixtures("animals", "stages")
def test_a_short_address_of_nothing_leaves_a_page_that_can_be_used(app: AppTest) -> None:
    app.query_params["saved"] = "nothing"
    app.run()
    assert "This short address does not exist" in drawn(app)
    app.text_input(key="q").set_value("dog").run()
    assert len(titles(drawn(app))) == 8


@pytest.mark.usefixtures("animals", "stages")
def test_a_query_of_stop_words_says_that_they_are_left_out(app: AppTest) -> None:
    app.query_params["q"] = "to be"
    app.run()
    assert "leaves out: to, be" in drawn(app)


@pytest.mark.usefixtures("animals")
def test_settings_that_cannot_be_used_are_named(app: AppTest, home: Path) -> None:
    (home / "prorank.toml").write_text("window_sise = 3\n", encoding="utf-8")
    app.run()
    assert "window_sise" in drawn(app)
