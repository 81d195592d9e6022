"""What is put into an engine, and what is refused, in words."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.engines.connection import Engine, EngineName, Reply, Request
from prorank_search.backends.engines.opensearch import connect
from prorank_search.cli import app
from prorank_search.errors import ConfigError, EngineError
from prorank_search.provision import elasticsearch, opensearch, plan
from prorank_search.provision.opensearch_bodies import Wanted, connector, pipeline
from prorank_search.settings import Settings
from tests.engine_stub import ELASTICSEARCH, OPENSEARCH, Answer, answering, failed

SECRET = "a-key-that-nobody-sees"  # noqa: S105 (no real one)
CUSTOM = {
    "service": "custom",
    "service_settings": {
        "secret_parameters": {"api_key": "<remote_api_key>"},
        "url": "https://rerank.example.com/v2/rerank",
        "headers": {
            "Content-Type": "application/json",
            "Authorization": "Bearer ${api_key}",
            "X-ProRank-Made-By": "prorank provision",
        },
        "request": '{"query":${query},"documents":${input},"prorank":{"timeout_s":10.0}}',
        "response": {
            "json_parser": {"reranked_index": "$.results[*].index", "relevance_score": "$.results[*].relevance_score"}
        },
    },
}
HUGGING_FACE = {
    "service": "hugging_face",
    "service_settings": {"api_key": "none", "url": "https://rerank.example.com/rerank"},
    "task_settings": {"return_documents": False},
}
NODE = {
    "name": "node-1",
    "plugins": [{"name": "opensearch-ml"}, {"name": "opensearch-neural-search"}],
    "search_pipelines": {"request_processors": [], "response_processors": [{"type": "rerank"}]},
}


class Canned:
    """A client of an engine that gives the answers that it was given, by method and path."""

    def __init__(self, answers: Mapping[str, tuple[int, object]]) -> None:
        self.answers = answers

    def send(self, request: Request) -> Reply:
        return Reply(*self.answers.get(f"{request.method} {request.path}", (404, {})))


def engine(name: EngineName, version: str, answers: Mapping[str, tuple[int, object]]) -> Engine:
    return Engine(name, version, "http://engine:9200", Canned(answers))


def nodes(**node: object) -> dict[str, tuple[int, object]]:
    return {"GET /_nodes/plugins,search_pipelines": (200, {"nodes": {"1": {**NODE, **node}}})}


def test_the_window_is_larger_than_the_page_where_the_cluster_can() -> None:
    wanted = Wanted("prorank", "http://10.0.0.1:8080/v2/rerank", sample_factor=4, on_failure="error")
    rerank = {
        "ml_opensearch": {"model_id": "<model_id>"},
        "context": {"document_fields": ["title", "text"]},
        "ignore_failure": False,
    }
    described = {"description": "Made by prorank provision for the search pipeline 'prorank'"}
    assert pipeline(wanted, oversample=False) == {**described, "response_processors": [{"rerank": rerank}]}
    assert pipeline(wanted, oversample=True) == {
        **described,
        "request_processors": [{"oversample": {"sample_factor": 4}}],
        "response_processors": [{"rerank": rerank}, {"truncate_hits": {}}],
    }


def test_the_cluster_waits_longer_than_the_service_takes() -> None:
    made = json.loads(json.dumps(connector(Wanted("prorank", "http://s/v2/rerank", timeout_s=2.5))))
    assert made["client_config"]["read_timeout"] == 8
    assert '\\"timeout_s\\":2.5' in made["actions"][0]["pre_process_function"]
    assert made["actions"][0]["headers"] == {}


@pytest.mark.parametrize(
    ("version", "answers", "told"),
    [
        ("2.11.1", nodes(), "has no rerank processor, which came with 2.12"),
        ("2.19.1", nodes(plugins=[]), r"no plugin opensearch-ml \(ml-commons\) on node-1"),
        ("2.19.1", nodes(plugins=[{"name": "opensearch-ml"}]), r"no plugin opensearch-neural-search .* on node-1"),
    ],
)
def test_an_opensearch_that_cannot_is_told_why(
    version: str, answers: Mapping[str, tuple[int, object]], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        opensearch.read(engine("opensearch", version, answers), "prorank")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            (200, {"license": {"type": "basic", "status": "active"}}),
            "'enterprise' or 'trial'; put the gateway before it",
        ),
        ((200, {"license": {"type": "trial", "status": "expired"}}), "'trial' .expired."),
        ((405, {}), "tells no licence"),
    ],
)
def test_a_licence_that_does_not_allow_it_names_the_gateway(answer: tuple[int, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        elasticsearch.check_licence(engine("elasticsearch", "9.1.0", {"GET /_license": answer}))


@pytest.mark.parametrize("licence", ["trial", "enterprise"])
def test_a_licence_that_allows_it_is_let_through(licence: str) -> None:
    answer = (200, {"license": {"type": licence, "status": "active"}})
    elasticsearch.check_licence(engine("elasticsearch", "9.1.0", {"GET /_license": answer}))


@pytest.mark.parametrize("version", ["8.18.4", "9.0.4"])
def test_an_elasticsearch_that_is_too_old_is_told_so(version: str) -> None:
    with pytest.raises(ConfigError, match=r"8\.19 and 9\.1"):
        elasticsearch.read(engine("elasticsearch", version, {}), "prorank")


@pytest.mark.parametrize(
    ("wanted", "golden"),
    [
        (elasticsearch.Wanted("p", "https://rerank.example.com/v2/rerank", with_key=True), CUSTOM),
        (elasticsearch.Wanted("p", "https://rerank.example.com/rerank", "hugging_face"), HUGGING_FACE),
    ],
)
def test_the_inference_endpoint_is_the_documented_one(
    wanted: elasticsearch.Wanted, golden: Mapping[str, object]
) -> None:
    assert elasticsearch.body(wanted) == golden
    found = {"inference_id": "p", "task_type": "rerank", **golden}
    answers = {"GET /_inference/rerank/p": (200, {"endpoints": [found]})}
    read = elasticsearch.read(engine("elasticsearch", "9.1.0", answers), "p")
    assert [step.there for step in elasticsearch.plan(read, wanted).steps] == [True]
    assert [step.there for step in elasticsearch.plan(None, wanted).steps] == [False]
    other = {**found, "service_settings": {**golden["service_settings"], "url": "https://else"}}  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="somebody else"):
        elasticsearch.plan(other, wanted)


def test_a_dry_run_shows_no_key_and_sends_only_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_REMOTE_API_KEY", SECRET)
    root = {"version": {**ELASTICSEARCH["version"], "number": "8.19.3"}}
    call = ["provision", "elasticsearch", "--service", "https://rerank.example.com", "--dry-run"]
    with answering(Answer(200, root), Answer(404, {}), product="Elasticsearch") as stub:
        result = CliRunner().invoke(app, [*call, "--url", stub.url])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["steps"][0]["request"]["body"] == CUSTOM
    assert SECRET not in result.output
    assert {seen.partition(" ")[0] for seen in stub.seen} == {"GET"}


def test_a_new_cluster_is_given_time_to_make_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_KEY_PAUSE_S", 0.0)
    told = (
        "The ML encryption master key has not been initialized yet.",
        "Fetching master key timed out.",
        "No shard available for [get [.plugins-ml-config][master_key]: routing [null]]",
    )
    refused = [Answer(500, failed("m_l_exception", reason)) for reason in told]
    made = Answer(200, {"connector_id": "c1"})
    step = plan.Step("connector", there=False, make=plan.Call("POST", "/_create", {}), undo=None, gives="connector_id")
    with answering(Answer(200, OPENSEARCH), *refused, made) as stub:
        known = plan.carry_out(connect(Settings(url=stub.url)), plan.Plan((step,)), {}, lambda _: None)
        assert known == {"connector_id": "c1"}
        assert stub.seen[1:] == ["POST /_create"] * 4

    monkeypatch.setattr(plan, "_KEY_TIMEOUT_S", -1.0)
    with answering(Answer(200, OPENSEARCH), *refused) as stub, pytest.raises(EngineError, match=r"master.key"):
        plan.carry_out(connect(Settings(url=stub.url)), plan.Plan((step,)), {}, lambda _: None)


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ([], "--service"),
        (["--service", "ftp://x"], "http://"),
        (["--service", "http://169.254.169.254/"], "metadata"),
        (["--service", "https://user:word@x"], "PRORANK_REMOTE_API_KEY"),
    ],
)
def test_a_service_that_cannot_be_asked_is_refused(service: list[str], told: str) -> None:
    with answering(Answer(200, ELASTICSEARCH), Answer(404, {}), product="Elasticsearch") as stub:
        result = CliRunner().invoke(app, ["provision", "elasticsearch", "--url", stub.url, "--dry-run", *service])
    assert result.exit_code == 2
    assert told in result.output
    assert "word" not in result.output


def test_the_command_and_the_search_of_the_page_are_the_ones_of_the_command(repository: Path) -> None:
    page = (repository / "docs" / "inside-elasticsearch.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```bash\n(.*?)\n```", page, re.DOTALL)
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    with answering(Answer(200, ELASTICSEARCH), Answer(404, {}), product="Elasticsearch") as stub:
        result = CliRunner().invoke(app, shlex.split(line.replace("http://localhost:9200", stub.url))[1:])
    assert result.exit_code == 0, result.output
    assert json.loads(shown) == elasticsearch.search_example("prorank", "text")
