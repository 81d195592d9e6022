"""The client of a real `prorank serve`: what it answers as this process would, and what each failure says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import (
    AuthError,
    BackendError,
    ConfigError,
    InputError,
    NotReadyError,
    OverloadedError,
    ProRankError,
    RescorerError,
    TooLargeError,
    UnreachableError,
)
from prorank_search.profiles import Profile
from prorank_search.protocols import IndexInfo
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.search import search
from prorank_search.types import Blend, Query, ScoreRequest, SearchResult
from prorank_ui.choices import Choice, Side
from prorank_ui.clients.service_calls import CancelledCallError, ServiceCalls
from prorank_ui.clients.service_client import STAGE, ServiceClient
from tests.ui.a_service import AService, client, free_port, open_client, remote, service

__all__ = ["client", "remote", "service"]  # fixtures

RESCORED = Side(STAGE)


def found(client: ServiceClient, choice: Choice) -> SearchResult:
    (index,) = client.indexes()
    result = client.start(choice, index).result(30)
    assert result is not None
    return replace(result, took_ms={})


def in_process(service: AService, query: str, side: Side = RESCORED, **profile: object) -> SearchResult:
    result = search(
        query,
        index="animals",
        backend=TantivyBackend(service.home / "indexes"),
        rescorer=OverlapRescorer() if side.rescorer else None,
        top_k=100,
        profile=Profile(**profile),  # type: ignore[arg-type]  # whatever a test names
        window_size=int(side.window) if side.window else None,
        whole_window=True,
    )
    return replace(result, took_ms={}, query=Query("", query))


class TestAnswers:
    """What a service answers is what this process would have."""

    def test_searches_are_the_librarys_own(self, client: ServiceClient, service: AService) -> None:
        assert found(client, Choice("barking dog", "animals")) == in_process(service, "barking dog", Side())
        assert found(client, Choice("barking dog", "animals", RESCORED)) == in_process(service, "barking dog")

    def test_a_side_chooses_model_window_and_blend(self, client: ServiceClient, service: AService) -> None:
        side = Side(STAGE, "overlap", "2", "total:zscore:1:2", "only dogs")
        own = in_process(service, "barking dog", side, blend=Blend("total", "zscore", rescore_query_weight=2.0))
        assert found(client, Choice("barking dog", "animals", side)) == own
        assert own.status.window_size == 2

    def test_indexes_stages_and_models_are_the_services(self, client: ServiceClient) -> None:
        (index,) = client.indexes()
        assert (index.name, index.documents, index.analysis) == ("animals", 4, "english")
        assert client.stages("animals") == [STAGE]
        assert client.models(STAGE) == {"overlap": "overlap"}
        assert client.depends_on(index) == (index.version, 4, "overlap-1")

    def test_texts_are_scored_for_the_reason_of_a_rank(self, client: ServiceClient) -> None:
        texts = ["A dog barks.", "nothing", "dog"]
        own = OverlapRescorer().score(ScoreRequest("barking dog", texts))
        assert [one.score for one in client.score(Choice("barking dog", "animals", RESCORED), texts)] == [
            one.score for one in own
        ]

    def test_the_first_stage_alone_finds_what_judges_are_given(self, client: ServiceClient, service: AService) -> None:
        (ranking,) = client.first_stage("animals")([Query("7", "dog")], 2)
        own = in_process(service, "dog", Side()).hits[:2]
        assert ranking.query == Query("7", "dog")
        assert [(hit.document, hit.score) for hit in ranking.hits] == [
            (hit.document, hit.first_stage_score) for hit in own
        ]


class Stub(BaseHTTPRequestHandler):
    """Answers everything in one way."""

    status, body, headers_sent, waits_s = 200, b"{}", {}, 0.0  # type: ignore[var-annotated]  # each test sets them
    asked: list[str] = []  # noqa: RUF012 (each test begins anew)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        time.sleep(self.waits_s)
        self.send_response(self.status)
        for name, value in {"Content-Length": str(len(self.body)), **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET  # noqa: N815 (the name that the server looks for)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stub() -> Iterator[str]:
    """Run a server that answers as `Stub` says; return its address."""
    Stub.status, Stub.body, Stub.headers_sent, Stub.waits_s, Stub.asked = 200, b"{}", {}, 0.0, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def error_of(ask: Callable[[], object]) -> ProRankError:
    with pytest.raises(ProRankError) as caught:
        ask()
    return caught.value


class TestFailures:
    """Each failure reads differently, and says what to do."""

    def test_nobody_answers(self, remote: Path) -> None:  # noqa: ARG002 (the settings are there)
        error = error_of(open_client(api_url=f"http://127.0.0.1:{free_port()}").indexes)
        assert isinstance(error, UnreachableError)
        assert "nobody answers at" in str(error)
        assert "start `prorank serve` there, or mend PRORANK_API_URL" in str(error)

    def test_a_service_that_is_too_slow(self, stub: str, remote: Path) -> None:  # noqa: ARG002
        Stub.waits_s = 2.0
        error = error_of(open_client(api_url=stub, api_timeout_s=0.2).indexes)
        assert isinstance(error, UnreachableError)
        assert error.timed_out
        assert "did not answer within 0.2 s" in str(error)
        assert "PRORANK_API_TIMEOUT_S" in str(error)

    def test_a_key_that_is_missing_and_one_that_is_wrong(
        self, remote: Path, service: AService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del remote
        wrong = error_of(open_client(api_key="prk_wrong").indexes)
        monkeypatch.delenv("PRORANK_API_KEY")
        missing = error_of(open_client().indexes)
        assert isinstance(wrong, AuthError)
        assert isinstance(missing, AuthError)
        assert "refuses the key" in str(wrong)
        assert "asks for a key" in str(missing)
        assert "set PRORANK_API_KEY" in str(missing)
        assert service.key not in str(wrong)
        assert "prk_wrong" not in str(wrong)

    def test_an_index_and_a_model_that_are_not_there(self, client: ServiceClient) -> None:
        index = error_of(lambda: client.search(Choice("dog", "birds", RESCORED)))
        model = error_of(lambda: client.search(Choice("dog", "animals", Side(STAGE, "gpt"))))
        assert type(index) is type(model) is InputError
        assert "'birds'" in str(index)
        assert "known are: overlap" in str(model)

    @pytest.mark.parametrize(
        ("status", "body", "kind", "told"),
        [
            (404, b"<html>nothing here</html>", BackendError, "has no /v1/indexes: it is an older `prorank serve`"),
            (404, b'{"detail": "Not Found"}', BackendError, "has no /v1/indexes: it is an older `prorank serve`"),
            (405, b"", BackendError, "has no /v1/indexes"),
            (200, b"<html>a sign-in page</html>", BackendError, "is not what this page reads"),
            (200, b'{"indexes": [3]}', BackendError, "is not what this page reads"),
            (403, b'{"error": {"message": "another Host"}}', AuthError, "does not let this machine in: another Host"),
            (400, b'{"error": {"message": "an unknown key"}}', InputError, "is of another version than this page"),
            (413, b"", TooLargeError, "does not take so much at once"),
            (429, b"", OverloadedError, "has too much to do: try again in 7 s"),
            (500, b'{"error": {"message": "the model failed"}}', RescorerError, "failed: the model failed"),
            (502, b'{"error": {"message": "no engine"}}', BackendError, "cannot ask its engine: no engine"),
            (503, b'{"error": {"message": "loading"}}', NotReadyError, "is not ready: loading; wait a moment"),
            (504, b"", RescorerError, "failed with status 504"),
        ],
    )
    def test_what_a_service_can_answer(
        self, stub: str, remote: Path, status: int, body: bytes, kind: type[ProRankError], told: str
    ) -> None:
        del remote
        Stub.status, Stub.body, Stub.headers_sent = status, body, {"Retry-After": "7"}
        error = error_of(open_client(api_url=stub).indexes)
        assert type(error) is kind
        assert told in str(error)

    def test_a_service_that_sends_elsewhere_is_not_followed_with_the_key(self, stub: str, remote: Path) -> None:
        del remote
        Stub.status, Stub.headers_sent = 302, {"Location": f"{stub}/elsewhere"}
        assert "failed with status 302" in str(error_of(open_client(api_url=stub).indexes))
        assert Stub.asked == ["/v1/indexes"]

    def test_while_the_model_is_loading_there_are_no_names_of_models_and_answers_depend_on_none(
        self, stub: str, remote: Path
    ) -> None:
        del remote
        Stub.status, Stub.body = 503, b'{"error": {"message": "the model is still loading"}}'
        client = open_client(api_url=stub)
        assert client.models(STAGE) == {}
        assert client.depends_on(IndexInfo("animals", 4, "english", 0, "", "v1")) == ("v1", 4, None)

    def test_a_search_that_nobody_waits_for_ends_at_once(self, stub: str) -> None:
        Stub.waits_s = 5.0
        began = time.monotonic()
        with pytest.raises(CancelledCallError):
            ServiceCalls(stub, None, 30).post("/v1/search", {}, lambda: time.monotonic() - began > 0.2)
        assert time.monotonic() - began < 3

    @pytest.mark.parametrize("url", ["http://169.254.169.254", "ftp://127.0.0.1", "http://127.0.0.1/?key=1"])
    def test_an_address_that_must_not_be_asked(self, home: Path, url: str) -> None:
        del home
        with pytest.raises(ConfigError):
            open_client(api_url=url)


def test_a_row_of_an_index_may_say_more_than_this_version_knows() -> None:
    from prorank_ui.clients.service_answers import indexes_in

    row = {
        "name": "a",
        "documents": 1,
        "analysis": "x",
        "size_bytes": 0,
        "created": "",
        "version": "1",
        "colour": "red",
    }
    assert indexes_in({"indexes": [row]}) == [IndexInfo("a", 1, "x", 0, "", "1")]
