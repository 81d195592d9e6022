"""Status in Streamlit's own test runner, with the real checks in their process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from tests.ui.conftest import PATIENCE_S, run_until


def draw() -> None:
    from prorank_ui.app_pages import status

    status.page()


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:  # noqa: ARG001 (the page reads it from the environment)
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    monkeypatch.setenv("PRORANK_PORT", "1")
    return AppTest.from_function(draw, default_timeout=PATIENCE_S)


def drawn(app: AppTest) -> str:
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)


def test_the_page_is_there_before_the_checks_and_shows_them_once_they_are_done(app: AppTest) -> None:
    app.run()
    assert "Looking at model, engine" in drawn(app)
    assert "prorank-search" in drawn(app)
    assert "smollm2-135m" in drawn(app)
    assert app.button[0].disabled
    run_until(app, lambda: "ps-checks" in drawn(app))
    assert "Nothing fails; look at: model, index" in drawn(app)
    assert "prorank ingest SOURCE --index NAME makes one" in drawn(app)
    app.run()
    assert not app.button[0].disabled
    assert "looking again" not in drawn(app)
    app.button[0].click().run()
    assert "looking again" in drawn(app)


def test_a_model_that_is_not_here_is_a_red_line_that_says_what_to_do(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_RESCORER", "prorank")
    app.run()
    run_until(app, lambda: "ps-fail" in drawn(app))
    assert "1 of 8 checks fails: model" in drawn(app)
    assert "prorank models pull" in drawn(app)


def test_with_an_engine_that_is_down_the_checks_are_done_and_the_rest_is_shown(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_URL", "http://127.0.0.1:1")
    app.run()
    assert "Looking at model, engine" in drawn(app)
    assert "smollm2-135m" in drawn(app)
    assert "cannot be" not in drawn(app)


def test_jobs_of_all_kinds_stand_in_one_list_with_what_they_printed(app: AppTest, home: Path) -> None:
    code = "print('<b>at work</b>')"
    jobs.start(home / "jobs", "train", "a <i>run</i>", (sys.executable, "-c", code))
    app.run()
    run_until(app, lambda: "finished" in drawn(app))
    assert "a &lt;i&gt;run&lt;/i&gt;" in drawn(app)
    assert "&lt;b&gt;at work&lt;/b&gt;" in drawn(app)


def test_without_jobs_the_list_says_what_would_stand_there(app: AppTest) -> None:
    app.run()
    assert any("training runs" in caption.value for caption in app.caption)


def test_settings_that_cannot_be_used_are_said_and_the_rest_is_shown(app: AppTest, home: Path) -> None:
    app.run()
    (home / "prorank.toml").write_text("window_sise = 3\n", encoding="utf-8")
    app.run()
    assert "window_sise" in drawn(app)
    assert "prorank-search" in drawn(app)
