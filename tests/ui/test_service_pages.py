"""The pages against a real `prorank serve`: what they show, and an evaluation whose searches it does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.errors import UnreachableError
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexInfo
from prorank_search.settings import load_settings
from prorank_search.types import Query, SearchResult
from prorank_ui.choices import Choice, Side
from prorank_ui.clients import service_suite
from prorank_ui.clients.service_client import STAGE, ServiceClient
from prorank_ui.evaluate import evaluating, standings
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from tests.ui.a_service import AService, client, free_port, remote, service
from tests.ui.conftest import PATIENCE_S, address_of, run_until, when_ended

__all__ = ["client", "remote", "service"]  # fixtures

PAGE = "from prorank_ui.app_pages import {page}\n{page}.page()\n"


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheets."""
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)


class Half(BaseHTTPRequestHandler):
    """A service that tells what it is, and whose searches fail."""

    answers: ClassVar[dict[str, object]] = {
        "/v1/indexes": {"indexes": [asdict(IndexInfo("animals", 4, "x", 0, "", "1"))]},
        "/v1/models": {"data": [{"id": "tiny"}]},
        "/info": {"model_sha": "1"},
    }

    def do_GET(self) -> None:
        self._send(200, self.answers[self.path])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(502, {"error": {"message": "the disk is gone", "code": 502}})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def half() -> Iterator[str]:
    """Run half a service; return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestPages:
    """What the pages show of a service."""

    def test_compare_shows_both_sides(self, remote: Path) -> None:
        app = AppTest.from_string(PAGE.format(page="compare"), default_timeout=PATIENCE_S)
        app.query_params["q"] = "barking dog"
        run_until(app, lambda: "in common" in drawn(app))
        left, _, right = drawn(app).partition("pr-after")
        assert left.count("pr-title") == right.count("pr-title") == 4
        assert "overlap" in right
        app.run()  # Streamlit learns what the browser's address already says
        assert address_of(app) == {
            "q": "barking dog",
            "index": "animals",
            "left": "bm25",
            "right": "service",
            "right_blend": "replace:none:1:1",
            "right_revision": "overlap-1",
            "show": "all",
            "page": "1",
        }
        assert not (remote / "indexes").exists()

    def test_compare_says_that_a_service_cannot_be_asked_and_never_that_there_is_nothing(
        self, remote: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del remote
        monkeypatch.setenv("PRORANK_API_KEY", "prk_wrong")
        app = AppTest.from_string(PAGE.format(page="compare"), default_timeout=PATIENCE_S).run()
        assert "refuses the key" in drawn(app)
        assert "There is no index yet" not in drawn(app)

    def test_no_link_names_another_service(self, remote: Path, service: AService) -> None:
        del remote
        app = AppTest.from_string(PAGE.format(page="status"), default_timeout=PATIENCE_S)
        app.query_params.update({"api_url": "http://127.0.0.1:9", "PRORANK_API_URL": "http://127.0.0.1:9"})
        run_until(app, lambda: "ps-checks" in drawn(app))
        assert f"answers at {service.url}; ready" in drawn(app)

    def test_a_search_that_fails_is_a_failed_side_with_the_reason(
        self, remote: Path, half: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del remote
        monkeypatch.setenv("PRORANK_API_URL", half)
        app = AppTest.from_string(PAGE.format(page="compare"), default_timeout=PATIENCE_S)
        app.query_params["q"] = "dog"
        run_until(app, lambda: "One side failed" in drawn(app))
        assert drawn(app).count(f"the service at {half} cannot ask its engine: the disk is gone") == 2
        assert "No document holds" not in drawn(app)
        assert "Compare with the word-overlap stand-in" not in [button.label for button in app.button]

    def test_a_service_without_an_index_says_where_documents_go(
        self, remote: Path, half: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del remote
        monkeypatch.setitem(Half.answers, "/v1/indexes", {"indexes": []})
        monkeypatch.setenv("PRORANK_API_URL", half)
        for page in ("compare", "judge"):
            app = AppTest.from_string(PAGE.format(page=page), default_timeout=PATIENCE_S)
            app.session_state["judge"] = "ada"
            app.run()
            assert f"on the machine of the service at {half}" in drawn(app)
            assert "Add documents" not in [button.label for button in app.button]

    @pytest.mark.parametrize("page", ["train", "documents"])
    def test_what_needs_a_local_installation_says_so(self, remote: Path, service: AService, page: str) -> None:
        del remote
        app = AppTest.from_string(PAGE.format(page=page), default_timeout=PATIENCE_S).run()
        assert "This page needs a local installation" in drawn(app)
        assert f"which the service at {service.url} keeps to itself: run prorank ui on the machine" in drawn(app)
        assert not [*app.button, *app.text_input, *app.get("file_uploader")]

    def test_status_shows_the_service(self, remote: Path, service: AService) -> None:
        del remote
        app = AppTest.from_string(PAGE.format(page="status"), default_timeout=PATIENCE_S)
        run_until(app, lambda: "ps-checks" in drawn(app))
        assert f"answers at {service.url}; ready" in drawn(app)
        assert "1: animals (4 documents)" in drawn(app)
        assert "overlap, revision overlap-1" in drawn(app)
        assert "since the start" in drawn(app)
        assert "Models" not in [header.value for header in app.header]

    def test_status_says_of_each_thing_why_it_cannot_be_asked(
        self, remote: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del remote
        monkeypatch.setenv("PRORANK_API_KEY", "prk_wrong")
        app = AppTest.from_string(PAGE.format(page="status"), default_timeout=PATIENCE_S)
        run_until(app, lambda: "ps-checks" in drawn(app))
        assert "3 of 6 checks fail: model, models, indexes" in drawn(app)
        assert drawn(app).count("refuses the key") == 3

    def test_judges_are_given_what_the_service_finds(self, remote: Path) -> None:
        store = JudgmentStore(remote / FILE_NAME)
        store.add_queries("dogs", "animals", [Query("1", "barking dog")])
        app = AppTest.from_string(PAGE.format(page="judge"), default_timeout=PATIENCE_S)
        app.session_state["judge"] = "ada"
        run_until(app, lambda: "data-doc=" in drawn(app))
        assert {name for hit in store.pooled("dogs", "1").values() for name in hit.ranks} == {"BM25", "overlap"}
        store.close()


@pytest.fixture
def judged(remote: Path) -> str:
    """A query set of this machine with judgments of the service's documents."""
    store = JudgmentStore(remote / FILE_NAME)
    store.add_queries("zoo", "animals", [Query("1", "fox at the dog"), Query("2", "barking dog"), Query("3", "xyzzy")])
    store.judge(*(Judgment("zoo", query, doc, "ada", 2) for query, doc in (("1", "fox"), ("2", "fox"), ("3", "dog"))))
    store.close()
    return "zoo"


WISH = EvaluationWish(
    Source("zoo", "animals"), "test", "animals", [Side(), Side(STAGE), Side(STAGE, blend="rrf:none:1:1")]
)


class TestEvaluate:
    """An evaluation whose searches the service does."""

    def test_it_measures_what_an_installation_measures(
        self, client: ServiceClient, judged: str, service: AService, remote: Path
    ) -> None:
        assert judged == "zoo"
        there = measured(client.start_evaluation(WISH))
        app = AppTest.from_string(PAGE.format(page="evaluate"), default_timeout=PATIENCE_S).run()
        assert "A service searched" in "".join(caption.value for caption in app.caption)
        assert "Smaller windows too" in [box.label for box in app.checkbox]
        (remote / "indexes").symlink_to(service.home / "indexes")
        sides = [side if not side.rescorer else replace(side, rescorer="overlap") for side in WISH.sides]
        here = measured(evaluating.start(remote, replace(WISH, sides=sides), load_settings(), Profile()))
        assert [system.values for system in there.systems] == [system.values for system in here.systems]
        assert [system.sweep for system in there.systems] == [system.sweep for system in here.systems]
        assert there.unjudged == here.unjudged
        assert [system.ms_a_query for system in there.systems] == [None, None, None]
        assert [system.side for system in there.systems][1].rescorer == STAGE

    def test_started_again_it_asks_only_what_it_does_not_know(
        self, client: ServiceClient, judged: str, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert judged
        folder = tmp_path / "run"
        folder.mkdir()
        suite, _ = evaluating.suite_of(WISH, load_settings().model_copy(update={"model": ""}), Profile())
        (folder / evaluating.SUITE).write_text(suite.model_dump_json(exclude_defaults=True), encoding="utf-8")
        asked: list[str] = []
        own = client.search

        def counting(choice: Choice, **more: object) -> SearchResult:
            if choice.side.rescorer:
                asked.append(choice.query)
                if len(asked) == 2:
                    raise UnreachableError("the network is gone")
            return own(choice, **more)  # type: ignore[arg-type]  # passed on

        monkeypatch.setattr(client, "search", counting)
        with pytest.raises(UnreachableError):
            service_suite.run(folder, client, remote)
        with (folder / "answers.jsonl").open("a", encoding="utf-8") as kept:
            kept.write('{"stage": "a kill bro')
        service_suite.run(folder, client, remote)
        service_suite.run(folder, client, remote)
        assert asked == ["fox at the dog", "barking dog", "barking dog"]
        assert (folder / "results.json").is_file()

    def test_a_service_that_is_gone_ends_it_with_the_reason(
        self, client: ServiceClient, judged: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert judged
        monkeypatch.setenv("PRORANK_API_URL", f"http://127.0.0.1:{free_port()}")
        job = when_ended(client.start_evaluation(WISH))
        assert jobs.status(job).state == "failed"
        assert "error: nobody answers at" in jobs.output(job)


def measured(job: jobs.Job) -> standings.EvaluationRun:
    assert jobs.status(when_ended(job)).state == "finished", jobs.output(job)
    return standings.read_run(job)
