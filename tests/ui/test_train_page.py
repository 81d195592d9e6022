"""Train in Streamlit's own test runner: what a person sees of judgments, of runs in each state, and of a promotion."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.promotions import promotions
from prorank_search.settings import DEFAULT_MODEL, load_settings
from prorank_search.types import Query
from prorank_ui.train import held_back
from prorank_ui.train.held_back import Pair
from tests import tiny_model
from tests.ui.conftest import PATIENCE_S, when_ended
from tests.ui.test_held_back import data_left
from tests.ui.test_training_runs import scores, write_metrics

PAGE = """
from prorank_ui.app_pages import train
train.page()
"""


@pytest.fixture
def app(home: Path) -> AppTest:  # noqa: ARG001 (the page reads it from the environment)
    return AppTest.from_string(PAGE, default_timeout=PATIENCE_S)


@pytest.fixture
def judged(home: Path) -> str:
    """A query set with judgments, and a base to begin with."""
    tiny_model.write_model(home / "models" / "tiny")
    (home / "models" / "tiny" / "source.json").write_text('{"license": "MIT", "origin": "a test"}')
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries("zoo", "animals", [Query("1", "a fox")])
    store.judge(Judgment("zoo", "1", "fox", "ada", 3), Judgment("zoo", "1", "dog", "ada", 0))
    store.close()
    return "zoo"


def job_left(
    home: Path,
    kind: str,
    *,
    name: str = "7",
    title: str = "zoo · from tiny",
    exit_code: int | None = None,
    **about: object,
) -> Path:
    """Write the folder of a job that runs no longer; without an exit code it died without a word."""
    folder = home / "jobs" / name
    folder.mkdir(parents=True)
    job = {
        "job_id": name,
        "kind": kind,
        "title": title,
        "command": ["false"],
        "created": "2026-11-24T18:05:00+00:00",
        "about": {"recipe": "judgments", "base": "tiny", "query_sets": {"zoo": 2}} | about,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    if exit_code is not None:
        ended = {"exit_code": exit_code, "told_to_stop": False, "at": "2026-11-24T19:00:00+00:00"}
        (folder / "ended.json").write_text(json.dumps(ended), encoding="utf-8")
    return folder


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheets."""
    assert not app.exception
    return "".join(element.proto.body for element in app.get("html") if "<style>" not in element.proto.body)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def results(**collections: Mapping[str, float]) -> dict[str, object]:
    return {"dev": {"measure": "nDCG@10", "collections": collections}}


def test_a_first_visit_says_what_to_do(app: AppTest) -> None:
    app.run()
    assert "There is nothing to train on yet" in drawn(app)
    assert "No run yet" in drawn(app)
    assert f"Default model: {DEFAULT_MODEL}" in drawn(app)
    assert labels(app) == []


def test_runs_keep_their_buttons_where_no_recipe_can_be_found(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_left(home, "train", exit_code=5)
    failed = subprocess.CompletedProcess((), 1, b"", b"error: it needs the extra 'train'")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    app.run()
    assert "it needs the extra" in drawn(app)
    assert "Resume" in labels(app)


def test_recipes_are_asked_for_again_when_those_of_the_home_change(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def run(command: object, **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess((), 0, b"[]", b"")

    monkeypatch.setattr(subprocess, "run", run)
    app.run().run()
    assert len(asked) == 1
    (home / "recipes").mkdir()
    (home / "recipes" / "mine.toml").touch()
    app.run()
    assert len(asked) == 2


@pytest.mark.usefixtures("judged")
def test_judgments_are_offered_with_how_many_there_are(app: AppTest) -> None:
    app.run()
    assert app.multiselect(key="train_sets").value == ["zoo"]
    assert app.selectbox(key="train_recipe").value == "judgments"
    assert app.selectbox(key="train_base").options == ["tiny"]
    assert labels(app) == ["Make the groups"]
    app.multiselect(key="train_sets").set_value([]).run()
    assert labels(app) == []


@pytest.mark.usefixtures("judged")
def test_groups_that_could_not_be_made_say_why(app: AppTest, home: Path) -> None:
    folder = job_left(home, "groups", exit_code=3, collections=[], mistakes_of="")
    (folder / "output.txt").write_text("making them\nerror: the index <b>animals</b> is gone\n", encoding="utf-8")
    app.run()
    assert "The groups were not made: failed" in drawn(app)
    assert "the index &lt;b&gt;animals&lt;/b&gt; is gone" in drawn(app)
    assert "Try again" in labels(app)


def test_a_run_that_died_shows_as_interrupted_with_its_curves_and_resume(app: AppTest, home: Path) -> None:
    write_metrics(job_left(home, "train"), scores(4))
    app.run()
    assert "interrupted" in drawn(app)
    assert "stage 2, step 4 of 10" in drawn(app)
    assert "Resume" in labels(app)
    assert any("Stage 2: loss" in text.value for text in app.markdown)
    assert app.query_params["runs"] == "7"


def test_a_run_that_failed_says_why(app: AppTest, home: Path) -> None:
    folder = job_left(home, "train", exit_code=5)
    (folder / "output.txt").write_text("error: memory ran out\n", encoding="utf-8")
    app.run()
    assert "memory ran out" in drawn(app)
    assert "Resume" in labels(app)


def test_a_checkpoint_that_was_not_made_says_why_until_it_is_dismissed(app: AppTest, home: Path) -> None:
    write_metrics(job_left(home, "train", exit_code=0), scores(4))
    folder = job_left(home, "export", name="8", title="zoo, step 4", exit_code=3, run="7")
    (folder / "output.txt").write_text("error: 1 judged text\n", encoding="utf-8")
    app.run()
    assert "No checkpoint: zoo, step 4" in drawn(app)
    assert "1 judged text" in drawn(app)
    next(button for button in app.button if button.label == "Dismiss").click().run()
    assert "No checkpoint" not in drawn(app)


def test_several_runs_are_drawn_together_and_the_address_keeps_them(app: AppTest, home: Path) -> None:
    for name in ("7", "8"):
        write_metrics(job_left(home, "train", name=name, exit_code=130), scores(4))
    app.query_params["runs"] = "7,8,gone"
    app.run()
    assert app.multiselect(key="train runs").value == ["7", "8"]
    assert drawn(app).count("stopped · stage 2, step 4 of 10") == 2
    app.multiselect(key="train runs").set_value(["8"]).run()
    app.query_params["runs"] = "7"  # Back
    app.run()
    assert app.multiselect(key="train runs").value == ["7"]
    app.multiselect(key="train runs").set_value(["8"]).run()
    assert app.query_params["runs"] == "8"


@pytest.mark.usefixtures("judged")
def test_a_checkpoint_is_made_the_default_and_taken_back(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_DTYPE", "float32")
    monkeypatch.setenv("PRORANK_DEVICE", "cpu")
    folder = write_metrics(job_left(home, "train", exit_code=0), scores(10))
    checkpoint = tiny_model.write_model(folder / "checkpoint")
    dev = results(zoo={"bm25": 0.5, "model": 0.75, "blend": 1.0, "queries": 4.0})
    tiny_model.write_contract(checkpoint, name="zoo", results=dev)
    app.run()
    assert ">0.75</td>" in drawn(app)
    assert app.selectbox(key="with 7").options == ["tiny"]
    (link,) = [element.proto.url for element in app.get("link_button")]
    assert "left_model=tiny" in link
    assert "index=animals" in link
    app.button(key="promote 7").click().run()
    assert load_settings().model.startswith("zoo-")
    assert f"Default model: {load_settings().model}" in drawn(app)
    app.button(key="demote").click().run()
    assert promotions(home) == []
    assert f"Default model: {DEFAULT_MODEL}" in drawn(app)


def checkpoint_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a run that ended with a checkpoint, and held queries of the set back."""
    monkeypatch.setenv("PRORANK_DTYPE", "float32")
    monkeypatch.setenv("PRORANK_DEVICE", "cpu")
    folder = data_left(write_metrics(job_left(home, "train", exit_code=0), scores(10)), "zoo")
    return tiny_model.write_contract(tiny_model.write_model(folder / "checkpoint"), name="zoo")


@pytest.mark.usefixtures("judged", "animals")
def test_a_checkpoint_is_tested_against_another_model_before_it_becomes_the_default(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_left(home, monkeypatch)
    app.run()
    assert "Not tested against tiny yet: do so before it becomes the default." in [text.value for text in app.caption]
    assert labels(app).index("Test both") < labels(app).index("Make it the default model")
    app.number_input(key="held-back queries 7 zoo").set_value(2).run()
    app.button(key="test 7").click().run()
    (test,) = jobs.jobs(home / "jobs", "held-back")
    assert jobs.status(when_ended(test)).state == "finished", jobs.output(test)
    app.run()
    assert "on 2 held-back queries: nDCG@10" in drawn(app)
    for heading in ("new model", "95 % interval", "better"):
        assert f">{heading}</th>" in drawn(app)
    assert "as it searches" in drawn(app)
    tiny_model.write_contract(home / "jobs" / "7" / "checkpoint", name="another")
    app.run()
    assert "held-back queries: nDCG@10" not in drawn(app)


@pytest.mark.usefixtures("judged", "animals")
def test_a_test_that_failed_says_why_and_one_that_died_is_resumed(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = Pair("7", checkpoint_left(home, monkeypatch), "tiny").about() | {"query_set": "zoo"}
    folder = home / "jobs" / "8"
    job_left(home, held_back.KIND, name="8")
    job = json.loads((folder / "job.json").read_text(encoding="utf-8")) | {"about": about}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    app.run()
    assert "The test was interrupted" in drawn(app)
    (folder / "output.txt").write_text("error: the index <b>animals</b> is gone\n", encoding="utf-8")
    app.button(key="resume 8").click().run()
    when_ended(jobs.job(home / "jobs", "8"))
    app.run()
    assert "The test failed" in drawn(app)
    assert "the index &lt;b&gt;animals&lt;/b&gt; is gone" in drawn(app)


def test_a_run_that_held_nothing_back_is_not_tested(app: AppTest, home: Path) -> None:
    folder = write_metrics(job_left(home, "train", exit_code=0), scores(10))
    tiny_model.write_contract(tiny_model.write_model(folder / "checkpoint"), name="zoo")
    app.run()
    assert "Test both" not in labels(app)


def test_a_checkpoint_that_breaks_its_contract_is_not_made_the_default(app: AppTest, home: Path) -> None:
    folder = write_metrics(job_left(home, "train", exit_code=0), scores(10))
    checkpoint = tiny_model.write_contract(tiny_model.write_model(folder / "checkpoint"), name="zoo")
    (checkpoint / "model.safetensors").write_bytes(b"spoiled")
    app.run()
    app.button(key="promote 7").click().run()
    assert "This cannot be done" in drawn(app)
    assert promotions(home) == []


def test_runs_chosen_on_evaluate_are_none_of_training(app: AppTest, home: Path) -> None:
    write_metrics(job_left(home, "train"), scores(4))
    app.session_state["evaluate runs"] = ["x"]
    app.run()
    assert not app.exception
