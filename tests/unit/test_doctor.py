"""`prorank doctor`: what it says of an installation and of other people's rerank services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.doctor.ml_commons import complaints, risks
from tests.engine_stub import Answer, answering

DOCUMENTS = 12
CALL = ["doctor", "--rescorer", "overlap", "--json"]


def answer(*literals: str) -> str:
    rows = [f'{{"index": {at}, "relevance_score": {literal}}}' for at, literal in enumerate(literals)]
    return f'{{"results": [{", ".join(rows)}]}}'


def doctor(*arguments: str, exit_code: int = 0) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(app, [*CALL, *arguments])
    assert result.exit_code == exit_code, result.output
    return {check["name"]: check for check in json.loads(result.stdout)}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (answer("0.5", "1"), "results.1.relevance_score is 1, an integer"),
        (answer("0.5", "0.12345678901234567"), "of 19 characters"),
        (answer("0.5", "NaN"), "not finite"),
        (answer("0.5", '"0.5"'), "no number"),
        (answer("0.5"), "1 results for 2 documents"),
        (answer("0.5", "0.4").replace('"index": 1', '"index": 0'), "index 0 has two results"),
        (answer("0.5", "0.4").replace('"index": 1', '"index": 2'), "index 2 is none of the 2 documents"),
        (answer("0.5", "0.4").replace('"index": 1', '"index": 1.0'), "no integer"),
        ('[{"index": 0, "score": 0.5}]', "no list of objects under 'results'"),
        ("<html>", "Expecting value"),
    ],
)
def test_what_ml_commons_cannot_cast_is_named(body: str, told: str) -> None:
    assert any(told in complaint for complaint in complaints(body, 2)), complaints(body, 2)


def test_numbers_in_full_are_a_risk_though_these_pass() -> None:
    assert complaints(answer("0.1234567890123456", "0.5"), 2) == []
    assert risks(answer("0.1234567890123456", "0.5"))
    assert not risks(answer("0.97", "1.00000000001e-12"))


def test_a_service_whose_answers_fail_in_ml_commons_fails_the_check() -> None:
    with answering(Answer(200, answer(*["1"] * DOCUMENTS))) as stub:
        checks = doctor(f"{stub.url}/v1/rerank", exit_code=1)
    assert (checks["service"]["state"], checks["ml-commons"]["state"]) == ("ok", "fail")
    assert stub.seen == ["POST /v1/rerank", "POST /v1/rerank"]


def test_the_key_is_sent_and_a_refused_one_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_REMOTE_API_KEY", "key-1")
    with answering(Answer(401, {"message": "no"})) as stub:
        checks = doctor(stub.url, exit_code=1)
    assert stub.headers["authorization"] == "Bearer key-1"
    assert checks["service"]["advice"] == "set PRORANK_REMOTE_API_KEY"
    assert checks["ml-commons"]["state"] == "skipped"


def test_a_fresh_machine_has_no_failure_and_is_told_what_to_do() -> None:
    checks = doctor()
    assert {name: check["state"] for name, check in checks.items()} == {
        "model": "warn",
        "device": "ok",
        "engine": "ok",
        "index": "warn",
        "analysis": "skipped",
        "service": "skipped",
        "ml-commons": "skipped",
        "pipeline": "skipped",
    }
    assert "prorank ingest" in checks["index"]["advice"]


def test_an_engine_that_is_away_fails_once_and_a_missing_model_names_its_command() -> None:
    result = CliRunner().invoke(app, ["doctor", "--url", "http://127.0.0.1:9", "--model", "smollm2-135m", "--json"])
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert [name for name, check in checks.items() if check["state"] == "fail"] == ["model", "engine"]
    assert "prorank models pull smollm2-135m" in checks["model"]["seen"]
