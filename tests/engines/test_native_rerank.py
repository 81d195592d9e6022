"""OpenSearch's own rerank pipeline, made by `prorank provision`, on a real server with ml-commons.

The long form, 2,000 searches, is `python -m tests.engines.native_rerank`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.doctor.ml_commons import complaints
from prorank_search.rescorers.overlap import OverlapRescorer
from tests.engine_stub import Answer, answering
from tests.engines import native_rerank
from tests.engines.asking import asked
from tests.engines.native_rerank import INDEX, PIPELINE, provisioned
from tests.engines.servers import Server
from tests.serving.live import Served, serving, wait_until_ready

ENGLISH = (
    "The hen lays eggs, and the fox, the red fox, the quick fox eats them.",
    "A red fox runs.",
    "Red paint dries.",
)
CHINESE = ("狐狸和母鸡。狐狸吃母鸡，狐狸又吃母鸡。", "红狐狸跑得很快。", "火车九点开。")
LITERALS = [
    *("0.5", "1.0", "0.0", "-0.5", "1e-12", "1.5E-12", "0.1234567890123456", "-12.5"),
    *("1", "0", "-3", "0.12345678901234567", "-0.1234567890123456", "1.2345678901234567e-05", "NaN", "null", '"0.5"'),
]
ROWS = [
    '{"index": 0, "relevance_score": 0.9}',
    '{"index": 1, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.8}',
    '{"index": 1.0, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.8}',
    '{"index": "1", "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.8}',
    '{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.8}',
    '{"index": 0, "score": 0.9}, {"index": 1, "score": 0.8}',
]
BODIES = [
    *(
        f'{{"results": [{{"index": 1, "relevance_score": 0.5}}, {{"index": 0, "relevance_score": {literal}}}]}}'
        for literal in LITERALS
    ),
    *(f'{{"results": [{row}]}}' for row in ROWS),
    '[{"index": 0, "score": 0.5}]',
    '{"results": []}',
]


@pytest.fixture(scope="module")
def client(opensearch_ml: Server) -> OpenSearch:
    return OpenSearch(opensearch_ml.url, timeout=60, max_retries=0)


@pytest.fixture(scope="module")
def overlap() -> Iterator[Served]:
    with serving(OverlapRescorer, rescorer="overlap") as served:
        yield wait_until_ready(served)


@pytest.fixture
def texts(client: OpenSearch) -> Iterator[None]:
    """An index of a few texts in two languages."""
    body = {
        "settings": {"number_of_replicas": 0},
        "mappings": {"properties": {"text": {"type": "text", "analyzer": "cjk"}}},
    }
    client.indices.create(index=INDEX, body=body)
    for at, text in enumerate([*ENGLISH, *CHINESE]):
        client.index(index=INDEX, id=str(at), body={"text": text})
    client.indices.refresh(index=INDEX)
    yield
    client.indices.delete(index=INDEX)


def prorank(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == exit_code, result.output
    return result.stdout


def succeeds(search: Callable[[], object]) -> bool:
    try:
        search()
    except TransportError:
        return False
    return True


def state(server: Server) -> object:
    """All that a provision could change: settings, what ml-commons has, search pipelines."""
    everything: dict[str, object] = {"query": {"match_all": {}}}
    kinds = ("connectors", "models", "model_groups")
    found = [asked(server.url, f"/_plugins/_ml/{kind}/_search", everything)["hits"]["hits"] for kind in kinds]
    ids = [sorted(hit["_id"] for hit in hits) for hits in found]
    return asked(server.url, "/_cluster/settings"), ids, asked(server.url, "/_search/pipeline")


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize(("query", "first"), [("red fox runs fast", "1"), ("红狐狸跑得快", "4")])
def test_a_plain_search_comes_in_our_order(
    client: OpenSearch, opensearch_ml: Server, overlap: Served, query: str, first: str
) -> None:
    body = {
        "query": {"match": {"text": query}},
        "ext": {"rerank": {"query_context": {"query_text_path": "query.match.text.query"}}},
    }
    with provisioned(opensearch_ml.url, overlap.url):
        hits = client.search(index=INDEX, body=body, search_pipeline=PIPELINE)["hits"]["hits"]

    question = {"query": query, "documents": [hit["_source"]["text"] for hit in hits]}
    ours = overlap.http.post("/v2/rerank", json=question).json()["results"]
    assert [row["index"] for row in ours] == list(range(len(hits)))
    assert hits[0]["_id"] == first


def test_scores_of_every_kind_and_queries_with_every_sign_keep_their_order(opensearch_ml: Server) -> None:
    assert "60 searches, 1800 hits" in native_rerank.run(opensearch_ml.url, 60)


def test_a_second_run_changes_nothing_and_an_undo_leaves_the_cluster_as_it_was(
    client: OpenSearch, opensearch_ml: Server, overlap: Served
) -> None:
    call = ("provision", "opensearch", "--url", opensearch_ml.url, "--json")
    own = {"plugins.ml_commons.trusted_connector_endpoints_regex": ["^https://example\\.com/.*$"]}
    for settings in (dict.fromkeys(own), own):
        client.cluster.put_settings(body={"persistent": settings})
        before = state(opensearch_ml)

        made = json.loads(prorank(*call, "--service", overlap.url))
        after = state(opensearch_ml)
        again = json.loads(prorank(*call, "--service", overlap.url))

        assert (len(made["made"]), again["made"], len(again["there"])) == (6, [], 6)
        assert after != before
        assert state(opensearch_ml) == after
        planned = json.loads(prorank(*call, "--service", overlap.url, "--dry-run"))
        assert all(step["there"] for step in planned["steps"])
        assert len(json.loads(prorank(*call, "--undo"))["gone"]) == 6
        assert state(opensearch_ml) == before
    client.cluster.put_settings(body={"persistent": dict.fromkeys(own)})


def test_two_pipelines_of_ours_do_not_take_each_others_settings_away(opensearch_ml: Server, overlap: Served) -> None:
    before = state(opensearch_ml)
    call = ("provision", "opensearch", "--url", opensearch_ml.url)
    with provisioned(opensearch_ml.url, overlap.url):
        prorank(*call, "--service", overlap.url, "--pipeline", "second")
        prorank(*call, "--undo", "--pipeline", "second")
        found = json.loads(
            prorank("doctor", overlap.url, "--url", opensearch_ml.url, "--rescorer", "overlap", "--json")
        )
        assert {check["name"]: check["state"] for check in found}["pipeline"] == "ok"
    assert state(opensearch_ml) == before


def test_what_somebody_else_made_is_left_alone(client: OpenSearch, opensearch_ml: Server, overlap: Served) -> None:
    theirs = {"description": "mine", "response_processors": []}
    client.transport.perform_request("PUT", f"/_search/pipeline/{PIPELINE}", body=theirs)
    try:
        for more in (["--service", overlap.url], ["--undo"]):
            call = ["provision", "opensearch", "--url", opensearch_ml.url, "--pipeline", PIPELINE, *more]
            prorank(*call, exit_code=2)
        assert client.transport.perform_request("GET", "/_search/pipeline") == {PIPELINE: theirs}
    finally:
        client.transport.perform_request("DELETE", f"/_search/pipeline/{PIPELINE}")


@pytest.mark.usefixtures("texts")
def test_a_service_that_is_down_leaves_the_order_or_fails_the_search(client: OpenSearch, opensearch_ml: Server) -> None:
    body: dict[str, Any] = {"query": {"match": {"text": "red fox"}}}
    found = client.search(index=INDEX, body=body)
    reranked = {**body, "ext": {"rerank": {"query_context": {"query_text": "red fox"}}}}
    with ExitStack() as stack:
        with serving(OverlapRescorer, rescorer="overlap") as served:
            url = wait_until_ready(served).url
            stack.enter_context(provisioned(opensearch_ml.url, url, "--on-failure", "keep"))
        assert client.search(index=INDEX, body=reranked, search_pipeline=PIPELINE)["hits"] == found["hits"]
    with ExitStack() as stack:
        with serving(OverlapRescorer, rescorer="overlap") as served:
            url = wait_until_ready(served).url
            stack.enter_context(provisioned(opensearch_ml.url, url, "--on-failure", "error"))
        with pytest.raises(TransportError, match="Connection refused"):
            client.search(index=INDEX, body=reranked, search_pipeline=PIPELINE)


def test_the_key_is_sent_and_a_service_that_refuses_it_is_told_of(
    opensearch_ml: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRORANK_REMOTE_API_KEY", "key-1")
    call = ["provision", "opensearch", "--url", opensearch_ml.url]
    with answering(Answer(401, {"message": "no"})) as stub:
        refused = CliRunner().invoke(app, [*call, "--service", stub.url])
        assert stub.headers["authorization"] == "Bearer key-1"
    prorank(*call, "--undo")
    assert refused.exit_code == 4
    assert "takes no such key (PRORANK_REMOTE_API_KEY" in refused.output
    assert "key-1" not in refused.output


@pytest.mark.usefixtures("texts")
def test_the_doctor_predicts_what_ml_commons_takes(client: OpenSearch, opensearch_ml: Server) -> None:
    body = {"query": {"match": {"text": "fox"}}, "ext": {"rerank": {"query_context": {"query_text": "fox"}}}, "size": 2}
    answers = [Answer(200, each) for each in BODIES]
    with (
        answering(Answer(200, BODIES[0]), *answers) as stub,
        provisioned(opensearch_ml.url, stub.url, "--on-failure", "error", "--sample-factor", "1"),
    ):
        taken = [succeeds(lambda: client.search(index=INDEX, body=body, search_pipeline=PIPELINE)) for _ in BODIES]
    assert dict(zip(BODIES, taken, strict=True)) == {each: complaints(each, 2) == [] for each in BODIES}


def test_the_commands_and_the_search_of_the_page_run(
    client: OpenSearch, opensearch_ml: Server, overlap: Served, repository: Path
) -> None:
    def here(text: str) -> str:
        return text.replace("http://localhost:9200", opensearch_ml.url).replace("http://localhost:8080", overlap.url)

    page = (repository / "docs" / "inside-opensearch.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert lines[0] == "prorank serve --rescorer overlap"
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for at, text in enumerate(ENGLISH):
        client.index(index="animals", id=str(at), body={"text": text}, refresh=True)
    try:
        for line in lines[1:]:
            prorank(*shlex.split(here(line))[1:], *(["--rescorer", "overlap"] if "doctor" in line else []))
        known: dict[str, Any] = {}
        exec(compile(here(example), "example", "exec"), known)  # noqa: S102 (our own documentation)
        assert [hit["_id"] for hit in known["found"]["hits"]["hits"]] == ["1", "0", "2"]
    finally:
        client.indices.delete(index="animals")
        prorank("provision", "opensearch", "--url", opensearch_ml.url, "--undo")
