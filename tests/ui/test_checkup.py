"""Checks in the background, and what the page Status says of them."""

from __future__ import annotations

import json
import ssl
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from prorank_search.doctor.installation import Checked
from prorank_search.errors import BackendError
from prorank_search.jobs import Job, JobStatus
from prorank_search.serving.metrics import Metrics
from prorank_search.settings import load_settings
from prorank_ui.status import status_words
from prorank_ui.status.checkup import Checkup, Examined, service_says
from tests.certificates import certified
from tests.ui.conftest import wait_until

WELL = Examined((Checked("model", "ok", "it loads", ""),), {}, "2026-11-24T18:31:00+00:00", 0.1)


def wait(checkup: Checkup) -> None:
    wait_until(lambda: not checkup.under_way())


def test_a_checkup_runs_beside_whoever_asks_and_is_kept() -> None:
    let_go, calls = threading.Event(), []

    def examine() -> Examined:
        calls.append(1)
        let_go.wait(20)
        return WELL

    checkup = Checkup(examine)
    checkup.begin()
    checkup.begin(0.0)
    assert checkup.under_way()
    assert checkup.last() is None
    let_go.set()
    wait(checkup)
    assert checkup.last() == WELL
    checkup.begin()
    assert not checkup.under_way()
    checkup.begin(0.0)
    wait(checkup)
    assert len(calls) == 2


def test_a_checkup_that_failed_says_why_and_is_done_again() -> None:
    answers = [BackendError("the engine is gone"), None]

    def examine() -> Examined:
        error = answers.pop(0)
        if error:
            raise error
        return WELL

    checkup = Checkup(examine)
    checkup.begin()
    wait(checkup)
    assert str(checkup.last()) == "the engine is gone"
    checkup.begin(0.0)
    wait(checkup)
    assert checkup.last() == WELL


@pytest.mark.usefixtures("home")
def test_a_service_that_does_not_run_says_nothing() -> None:
    settings = load_settings(port=1)
    assert service_says(settings) == {}
    assert status_words.service_facts({}) == ""


class Service(BaseHTTPRequestHandler):
    answer: dict[str, object] = {}  # noqa: RUF012 (each test sets it)
    metrics = b""
    keys: list[str | None] = []  # noqa: RUF012 (of every request)

    def do_GET(self) -> None:
        self.keys.append(self.headers["authorization"])
        answers = {"/info": json.dumps(self.answer).encode(), "/metrics": self.metrics}
        self.send_response(200 if answers.get(self.path) else 404)
        self.end_headers()
        self.wfile.write(answers.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"model_id": "tiny", "prorank": {"queued_tokens": 900, "max_queued_tokens": 40_000}}, "900 of 40,000 tokens"),
        ({"model_id": "somebody else's"}, ""),
    ],
)
def test_a_running_service_tells_its_queue_and_another_server_nothing(
    answer: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = SimpleNamespace(queued_tokens=0, limit=40_000, tokens_a_second=4_000)
    seen = Metrics(SimpleNamespace(state="ready", admission=line))  # type: ignore[arg-type]
    for seconds in (0.2, 0.2, 0.2, 20.0):
        seen.saw("search", 200, seconds)
    seen.saw("rerank", 502, 0.2)
    monkeypatch.setattr(Service, "metrics", seen.text())
    monkeypatch.setattr(Service, "answer", answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        facts = status_words.service_facts(service_says(load_settings(port=server.server_port)))
        server.shutdown()
    assert told in facts
    latency = "5 requests since the start, half within 250 ms, 95 % in more than 10.0 s; 1 request failed (rerank 502)"
    assert (latency in facts) == bool(facts) == bool(told)


@pytest.mark.usefixtures("home")
def test_a_service_with_a_certificate_is_asked_by_https_and_never_with_the_key_of_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certified(tmp_path, "service")
    monkeypatch.setattr(Service, "answer", {"prorank": {"queued_tokens": 0, "max_queued_tokens": 1}})
    monkeypatch.setattr(Service, "keys", [])
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(cert, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.socket = own.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = partial(load_settings, port=server.server_port, tls_cert=str(cert), tls_key=str(key))
        assert service_says(settings(remote_api_key="a vendor's"))["prorank"]
        assert service_says(settings(api_key="ours"))["prorank"]
        server.shutdown()
    assert Service.keys == [None, None, "Bearer ours", "Bearer ours"]


def test_what_fails_says_what_to_do_and_is_escaped() -> None:
    html = status_words.checklist([Checked("engine", "fail", "<b>nobody answers", "start <it>")])
    assert "ps-fail" in html
    assert "&lt;b&gt;nobody" in html
    assert "→ start &lt;it&gt;" in html


def test_an_ingest_with_bad_records_has_not_failed(home: object) -> None:
    job = Job("1", "ingest", "a into b", (), "2026-11-24T18:31:07+00:00", {}, home)  # type: ignore[arg-type]
    row = status_words.job_row(job, JobStatus("failed", 6, "2026-11-24T18:32:00+00:00"))
    assert row == ["a into b", "ingest", "finished, with bad records", "2026-11-24 18:31", "2026-11-24 18:32"]
    assert status_words.job_row(job, JobStatus("failed", 1))[2] == "failed"


def test_versions_name_the_extra_of_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(status_words._PACKAGES, "no-such-package", "train")  # noqa: SLF001
    assert ["no-such-package", "not installed: pip install 'prorank-search[train]'"] in status_words.installed()
