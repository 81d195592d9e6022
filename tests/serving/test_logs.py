"""What the service logs, and that no text of a query or document is ever among it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.serving import logs
from tests.serving.live import Served

CANARY = "zxqcanaryqxz"
FOUND = "zxqfoundqxz"
"""Stands in a document of an index, and in no request."""
SERVICE = """
import logging, sys
from prorank_search.rescorers import from_function
from prorank_search.serving import logs
from prorank_search.serving.server import serve
from prorank_search.settings import Settings

def score(query, texts):
    logging.getLogger("elsewhere").error("said of %s", query)
    logging.getLogger("asyncio").error(f"never retrieved: {texts}")
    if "fail" in query:
        raise ValueError(query + texts[0]) from KeyError(query)
    return [float(len(text)) for text in texts]

logs.configure(sys.argv[1])
settings = Settings(port=0, max_text_chars=1000, max_texts=3)
serve(settings, lambda: from_function(score), lambda url: print(url, flush=True))
"""


@dataclass
class Ran:
    """A service of its own process; `log` is what it wrote to stderr, once it has ended."""

    http: httpx.Client
    log: list[str] = field(default_factory=list)


@contextmanager
def ran(form: str) -> Iterator[Ran]:
    command = [sys.executable, "-c", SERVICE, form]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,  # a pipe that nobody reads would fill up
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        with httpx.Client(base_url=process.stdout.readline().strip(), timeout=120) as http:
            while http.get("/ready").status_code != httpx.codes.OK:
                pass
            service = Ran(http)
            yield service
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        log.seek(0)
        service.log = log.read().splitlines()


def bodies(query: str, text: str) -> dict[str, dict[str, object]]:
    """Return a request for each rerank path."""
    return {
        "/v1/rerank": {"query": query, "documents": [{"text": text}], "rank_fields": ["text"]},
        "/v2/rerank": {"query": query, "documents": [text]},
        "/rerank": {"query": query, "texts": [text]},
        "/v1/score": {"text_1": query, "text_2": [text]},
        "/score": {"text_1": [query], "text_2": text},
    }


def faulty(path: str) -> list[bytes]:
    """Return bodies that a path refuses, each with the canary somewhere."""
    (whole,) = [body for of, body in bodies(CANARY, CANARY).items() if of == path]
    broken: list[object] = [
        whole | {"prorank": {CANARY: CANARY}},
        whole | {"prorank": {"timeout_s": CANARY}},
        {key: value if "quer" in key or key == "text_1" else {CANARY: CANARY} for key, value in whole.items()},
        {key: {CANARY: [CANARY]} for key in whole},
        {key: [{CANARY: CANARY}] if isinstance(value, list) else value for key, value in whole.items()},
        {key: [CANARY] * 9 if isinstance(value, list) else value for key, value in whole.items()},
        {key: CANARY * 1000 if isinstance(value, str) else value for key, value in whole.items()},
        [CANARY],
        CANARY,
    ]
    return [json.dumps(body).encode() for body in broken] + [f'{{"query": "{CANARY}'.encode(), CANARY.encode()]


def send_everywhere(http: httpx.Client) -> list[httpx.Response]:
    """Send the canary through every route that the service describes, in every way that we know to go wrong."""
    answers = []
    for path in bodies("", ""):
        answers += [http.post(path, json=bodies(query, CANARY)[path]) for query in (CANARY, f"fail {CANARY}", "")]
        answers += [http.post(path, content=body) for body in faulty(path)]
    described = http.get("/openapi.json").json()["paths"]
    for path in [*described, f"/{CANARY}/_search", f"/books/_doc/{CANARY}", f"/v1/{CANARY}", f"//{CANARY}"]:
        filled = re.sub(r"\{.*?\}", CANARY, path)
        headers = {"X-Request-Id": f"a {CANARY}", "X-ProRank-Key": CANARY, "Authorization": f"Bearer {CANARY}"}
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", CANARY.upper()):
            answers.append(
                http.request(method, filled, params={"q": CANARY}, content=json.dumps(CANARY), headers=headers)
            )
    return answers


def search_everywhere(http: httpx.Client) -> list[httpx.Response]:
    """Send the canary through the gateway: as query, as body, as index, with and without failures."""
    match = {"query": {"match": {"text": CANARY}}}
    asked: dict[str, object] = {"query_text": f"fail {CANARY}", "fields": ["text"]}
    rescoring: dict[str, object] = {"window_size": 3, "prorank": asked}
    rescore = {"rescore": rescoring}
    wrong: list[object] = [
        match | {"rescore": {"prorank": {"query_text": [CANARY], "fields": CANARY, "timeout_s": CANARY}}},
        match | {"rescore": {"prorank": {"query_text_path": CANARY, "model": CANARY}}},
        {"query": {"match": {"text": {CANARY: CANARY}}}},
        {"query": {CANARY: CANARY}, CANARY: CANARY},
        CANARY,
    ]
    failing = match | {"rescore": rescoring | {"prorank": asked | {"on_failure": "error"}}}
    answers = [http.post("/books/_search", json=body) for body in (match, match | rescore, failing, *wrong)]
    lines = "".join(f'{{"index": "{index}"}}\n{json.dumps(match | rescore)}\n' for index in ("books", CANARY))
    ndjson = {"Content-Type": "application/x-ndjson"}
    answers += [http.post("/_msearch", content=text, headers=ndjson) for text in (lines, CANARY, lines[:-9])]
    answers.append(http.get("/books/_search", params={"q": CANARY}))
    answers += [http.request(method, f"/books/_doc/{CANARY}", json={"text": CANARY}) for method in ("GET", "PUT")]
    answers += [http.post(path, json=match) for path in (f"/{CANARY}/_search", f"/books/_search/../{CANARY}")]
    return answers


@pytest.fixture
def books(prorank_home: Path, tmp_path: Path) -> None:
    """An embedded index with the canary in its only document."""
    del prorank_home
    source = tmp_path / "books.jsonl"
    source.write_text(json.dumps({"_id": "b", "text": f"{CANARY} {FOUND}"}), encoding="utf-8")
    assert CliRunner().invoke(app, ["ingest", str(source), "--index", "books"]).exit_code == 0


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("form", ["json", "text"])
def test_what_goes_through_the_gateway_is_in_no_log_line_or_metric_and_no_document_is_in_a_fault(form: str) -> None:
    with ran(form) as service:
        answers = search_everywhere(service.http)
        metrics = service.http.get("/metrics").text
    assert FOUND in answers[0].text
    assert {answer.status_code for answer in answers} >= {200, 400, 403, 404, 500}
    assert [answer.text for answer in answers if answer.is_error and FOUND in answer.text] == []
    told = [metrics, *service.log]
    assert [line for line in told if CANARY in line.lower() or FOUND in line.lower()] == []
    assert any("ValueError" in line for line in service.log)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_canary_that_went_through_every_route_is_in_no_log_line_metric_or_fault(form: str) -> None:
    with ran(form) as service:
        answers = send_everywhere(service.http)
        metrics = service.http.get("/metrics").text
    faults = [answer for answer in answers if answer.status_code >= httpx.codes.BAD_REQUEST]
    assert {answer.status_code for answer in faults} >= {400, 404, 405, 413, 422, 424, 500}
    assert [(answer.request.url.path, answer.text) for answer in faults if CANARY in answer.text.lower()] == []
    assert CANARY not in metrics.lower()
    assert len(service.log) > len(answers)
    assert [line for line in service.log if CANARY in line.lower()] == []
    assert any("ValueError" in line for line in service.log)


def test_json_logs_are_one_object_a_line_with_the_requests_id() -> None:
    with ran("json") as service:
        body = bodies("fail", "a")["/rerank"]
        service.http.post("/rerank", json=body, headers={"X-Request-Id": "mine-1"})
    lines = [json.loads(line) for line in service.log]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    told, answered = [line for line in lines if line.get("request_id") == "mine-1" and "serving" in line["logger"]]
    assert (told["level"], told["message"]) == ("ERROR", "internal error: ValueError")
    assert "in score" in told["where"]
    assert {key: answered[key] for key in ("method", "route", "shape", "status", "key")} == {
        "method": "POST",
        "route": "/rerank",
        "shape": "tei",
        "status": 424,
        "key": "-",
    }


def test_every_answer_has_an_id_the_clients_own_where_it_is_a_plain_word(overlap: Served) -> None:
    def answered(given: str, path: str = "/health") -> str:
        return str(overlap.http.get(path, headers={"X-Request-Id": given}).headers["x-request-id"])

    assert answered("trace.1:a-B_2") == "trace.1:a-B_2"
    assert answered("mine", "/nowhere") == "mine"
    for given in ("two words", "a" * 65, 'a"b', ""):
        assert re.fullmatch("[0-9a-f]{32}", answered(given))


def test_what_another_package_says_is_left_out_but_for_who_where_and_how_bad() -> None:
    record = logging.LogRecord("urllib3.pool", logging.ERROR, __file__, 1, "GET /%s", (CANARY,), None)
    assert CANARY not in logs.JsonLines().format(record)
    assert "urllib3.pool" in logs.TextLines().format(record)


def test_fields_stand_beside_the_message_in_both_forms() -> None:
    record = logging.LogRecord("prorank_search.x", logging.INFO, __file__, 1, "answered %d", (3,), None)
    record.__dict__["fields"] = {"status": 200}
    assert logs.TextLines().format(record).endswith("INFO prorank_search.x answered 3 status=200")
    assert json.loads(logs.JsonLines().format(record))["status"] == 200
