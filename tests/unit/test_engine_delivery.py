"""What the writing side does with each kind of answer; the client is scripted, all else is real."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from prorank_search.backends.engines import connection, delivery, versions
from prorank_search.backends.engines.bulk import ChunkSize, Row, delete_row, index_row, judge
from prorank_search.backends.engines.connection import Engine, Reply, Request
from prorank_search.backends.engines.delivery import Delivery, Pace
from prorank_search.errors import AuthError, BackendError, EngineError, InputError, UnreachableError
from prorank_search.types import Document

ROWS = [index_row(Document(str(number), f"text {number}"), number) for number in range(8)]


@dataclass
class Script:
    """Answers a bulk request by a function of its documents' ids and of how many requests came before."""

    answer: Callable[[list[str], int], Reply]
    requests: list[list[str]] = field(default_factory=list)

    def send(self, request: Request) -> Reply:
        rows = [json.loads(line) for line in (request.body or b"").splitlines()]
        ids = [row["index"]["_id"] for row in rows if "index" in row]
        self.requests.append(ids)
        return self.answer(ids, len(self.requests))


def settle(script: Script, pace: Pace | None = None, rows: list[Row] = ROWS) -> dict[str, Any]:
    engine = Engine("opensearch", "2.19.1", "http://engine", script)
    way = Delivery(engine, "animals-v1", pace or Pace(ChunkSize(8)), threading.Event(), lambda: 100)
    return dict(way.settle(rows))


def items(ids: list[str], errors: dict[str, tuple[int, str, str]]) -> Reply:
    found = []
    for doc_id in ids:
        status, error_type, reason = errors.get(doc_id, (201, "", ""))
        error = {"error": {"type": error_type, "reason": reason}} if error_type else {}
        found.append({"index": {"status": status, **error}})
    return Reply(200, {"errors": bool(errors.keys() & set(ids)), "items": found})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "pause_s", lambda _failures, _longest_s: 0.0)


def test_what_went_in_is_not_sent_again() -> None:
    script = Script(lambda ids, _: items(ids, {}))
    assert settle(script) == {}
    assert [len(ids) for ids in script.requests] == [8]


def test_only_the_documents_that_had_no_room_are_sent_again() -> None:
    full = {"3": (429, "rejected_execution_exception", "queue full"), "5": (429, "es_rejected_execution_exception", "")}
    script = Script(lambda ids, number: items(ids, full if number == 1 else {}))
    assert settle(script) == {}
    assert script.requests[1:] == [["3", "5"]]


def test_a_document_that_does_not_fit_the_mapping_is_refused_with_the_engines_words() -> None:
    refused = settle(
        Script(lambda ids, _: items(ids, {"2": (400, "mapper_parsing_exception", "failed to parse [year]")}))
    )
    assert list(refused) == ["2"]
    assert refused["2"]._asdict() == {
        "reason": "a value does not fit the type of its field: failed to parse [year]",
        "error_type": "mapper_parsing_exception",
        "status": 400,
        "attempts": 1,
    }


@pytest.mark.parametrize("status", [413, 429])
def test_requests_halve_where_the_server_has_too_much_and_grow_back(status: int) -> None:
    pace = Pace(ChunkSize(8))
    script = Script(lambda ids, _: Reply(status, None) if len(ids) > 2 else items(ids, {}))
    assert settle(script, pace) == {}
    assert sorted(doc_id for ids in script.requests if len(ids) <= 2 for doc_id in ids) == [row.doc_id for row in ROWS]
    assert pace.size.documents < 8
    for _ in range(9):
        settle(Script(lambda ids, _: items(ids, {})), pace)
    assert pace.size == ChunkSize(8)


def test_a_document_that_alone_is_too_large_is_refused_and_the_others_go_in() -> None:
    script = Script(lambda ids, _: Reply(413, None) if "6" in ids else items(ids, {}))
    refused = settle(script)
    assert list(refused) == ["6"]
    assert (refused["6"].status, refused["6"].error_type) == (413, "too_large")
    assert "http.max_content_length" in refused["6"].reason


def test_a_request_that_the_engine_cannot_read_is_halved_down_to_the_document() -> None:
    bad = {"error": {"type": "parse_exception", "reason": "what is this?"}}
    refused = settle(Script(lambda ids, _: Reply(400, bad) if "1" in ids else items(ids, {})))
    assert {doc_id: refusal.error_type for doc_id, refusal in refused.items()} == {"1": "parse_exception"}


@pytest.mark.parametrize("body", [{}, "<html>", {"errors": True, "items": [{"index": {"status": 201}}]}])
def test_an_answer_that_is_cut_is_no_answer(body: object) -> None:
    script = Script(lambda ids, number: Reply(200, body) if number == 1 else items(ids, {}))
    assert settle(script) == {}
    assert len(script.requests[1]) == len(ROWS)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_is_not_ready_is_asked_again(status: int) -> None:
    script = Script(lambda ids, number: Reply(status, "<html>") if number < 4 else items(ids, {}))
    assert settle(script) == {}
    assert len(script.requests) == 4


def test_a_lost_connection_is_tried_again_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(ids: list[str], number: int) -> Reply:
        if number < 4:
            raise UnreachableError("lost", timed_out=number == 2)
        return items(ids, {})

    assert settle(Script(lose)) == {}
    monkeypatch.setattr(delivery, "GIVE_UP_S", 0.0)
    with pytest.raises(UnreachableError, match="lost"):
        settle(Script(lose))


def test_a_change_to_an_index_is_tried_for_as_long_as_a_document() -> None:
    engine = Engine("opensearch", "2.19.1", "http://engine", Script(lambda ids, _: items(ids, {})))
    attempts = versions.patient(engine).attempts
    longest = connection.LONGEST_PAUSE_S
    pauses = [min(connection.FIRST_PAUSE_S * 2**failures, longest) for failures in range(attempts - 1)]
    assert 0.75 * sum(pauses) == pytest.approx(delivery.GIVE_UP_S, rel=0.1)  # each is drawn from its half up


def test_a_run_stops_where_no_document_would_get_in() -> None:
    blocked = {"0": (429, "cluster_block_exception", "flood-stage watermark")}
    with pytest.raises(BackendError, match=r"nearly full.*flood-stage"):
        settle(Script(lambda ids, _: items(ids, blocked)))
    with pytest.raises(AuthError):
        settle(Script(lambda _ids, _: Reply(403, {"error": {"type": "security_exception", "reason": "no"}})))
    with pytest.raises(EngineError):
        settle(Script(lambda _ids, _: Reply(410, None)))


def test_a_fault_of_the_engine_at_one_document_is_taken_three_times() -> None:
    script = Script(lambda ids, _: items(ids, {"4": (500, "null_pointer_exception", "")}))
    refused = settle(script)
    assert refused["4"].attempts == 3
    assert script.requests[1:] == [["4"], ["4"]]


def test_a_newer_write_wins_and_one_from_the_future_is_told() -> None:
    reason = "[1]: version conflict, current version [{}] is higher than the one provided [4]"
    conflict = {"index": {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": ""}}}
    conflict["index"]["error"] = {"type": "version_conflict_engine_exception", "reason": reason.format(99)}
    assert judge(conflict, 1, 100).outcome == "done"
    assert judge(conflict, 1, 98).outcome == "refused"
    assert judge({"delete": {"status": 404}}, 1, 0).outcome == "done"


@pytest.mark.parametrize(
    "document",
    [Document("", "x"), Document("i" * 513, "x"), Document("1", "\udcff"), Document("1", "x", "", {"n": float("nan")})],
)
def test_what_cannot_be_sent_is_refused_before_it_is(document: Document) -> None:
    with pytest.raises(InputError):
        index_row(document, 1)


def test_an_id_is_text_and_never_json() -> None:
    assert json.loads(delete_row('a"\\\n', 7).body)["delete"]["_id"] == 'a"\\\n'
