"""A cluster with OpenSearch's security plugin: what a caller may see is all that the gateway shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.engines.detection import connect
from prorank_search.errors import AuthError
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.search import load_backend
from prorank_search.settings import Settings
from prorank_search.types import Query, SearchRequest
from tests.engines.kills import write_corpus
from tests.engines.secured_server import Secured, run_secured
from tests.serving.live import Served, serving, wait_until_ready

PASSWORD = "Red-Fox-Runs-50"  # noqa: S105 (of a server that is gone after the tests)
EVE, READER, INGESTS = ("eve", PASSWORD), ("prorank", PASSWORD), ("prorank_ingest", PASSWORD)
FOX: dict[str, Any] = {"query": {"match": {"text": "fox"}}, "rescore": {"window_size": 20, "prorank": {}}}
ANIMALS = {str(number): {"text": f"a fox {'fox ' * number}", "kind": "open"} for number in range(6)} | {
    "secret": {"text": "fox fox fox hidden", "kind": "closed"}
}


@pytest.fixture(scope="module")
def secured(shared_home: Path, repository: Path) -> Iterator[Secured]:
    """A server with the account of docs/security.md, and with one that may see a part of the documents."""
    with run_secured(shared_home) as server:
        with server.client() as admin:
            for path, body in of_the_page(repository):
                done(admin.put(path, json=body))
            sees_open = {
                "index_patterns": ["animals*"],
                "allowed_actions": ["read"],
                "dls": '{"term": {"kind": "open"}}',
            }
            role = {"cluster_permissions": ["cluster_composite_ops_ro"], "index_permissions": [sees_open]}
            done(admin.put("/_plugins/_security/api/roles/sees_open", json=role))
            eve = {"password": PASSWORD, "opendistro_security_roles": ["sees_open"]}
            done(admin.put("/_plugins/_security/api/internalusers/eve", json=eve))
            done(admin.put("/animals", json={"mappings": {"properties": {"kind": {"type": "keyword"}}}}))
            for doc_id, body in ANIMALS.items():
                done(admin.put(f"/animals/_doc/{doc_id}?refresh=true", json=body))
            done(admin.put("/private/_doc/1?refresh=true", json={"text": "a fox"}))
        yield server


@pytest.fixture(scope="module")
def gateway(secured: Secured) -> Iterator[Served]:
    with serving(OverlapRescorer, url=secured.url, engine_ca_certs=secured.certificate) as served:
        yield wait_until_ready(served)


def of_the_page(repository: Path) -> list[tuple[str, Any]]:
    """Return what docs/security.md puts into OpenSearch: paths and bodies."""
    page = (repository / "docs" / "security.md").read_text(encoding="utf-8")
    found = re.findall(r"^PUT (_plugins/\S+)\n(\{.*?\})\n(?=\n|```)", page, re.MULTILINE | re.DOTALL)
    return [(f"/{path}", json.loads(body.replace("...", PASSWORD))) for path, body in found]


def done(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


def ask(gateway: Served, user: tuple[str, str] | None, **more: object) -> httpx.Response:
    return gateway.http.post("/animals/_search", json={**FOX, **more}, auth=user or httpx.Auth())


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {hit["_id"] for hit in answer.json()["hits"]["hits"]}


def test_the_account_of_the_page_searches_and_cannot_write(secured: Secured, repository: Path) -> None:
    assert len(of_the_page(repository)) == 4
    own = Settings(
        url=secured.url, engine_ca_certs=secured.certificate, engine_username=READER[0], engine_password=READER[1]
    )
    assert connect(own).name == "opensearch"
    found = load_backend(own).search(SearchRequest("animals", Query("1", "fox"), top_k=20))
    assert {hit.document.doc_id for hit in found.hits} == set(ANIMALS)
    with secured.client(READER) as reader:
        for refused in (reader.put("/animals/_doc/9", json={}), reader.delete("/animals"), reader.put("/new")):
            assert refused.status_code == 403
    with pytest.raises(AuthError):
        load_backend(own).indexes()  # which needs indices:monitor/stats on all of them
    wrong = own.model_copy(update={"engine_username": "nobody"})
    with pytest.raises(AuthError):
        load_backend(wrong).search(SearchRequest("animals", Query("1", "fox")))


def test_the_account_of_the_page_that_ingests_needs_no_right_to_other_indexes(secured: Secured, tmp_path: Path) -> None:
    user, password = INGESTS
    own = Settings(
        url=secured.url,
        engine_ca_certs=secured.certificate,
        engine_username=user,
        engine_password=password,
        home=tmp_path,
    )
    backend = load_backend(own)

    def ingest(texts: Mapping[str, str], **more: Any) -> run.Report:  # noqa: ANN401 (of many kinds)
        job = run.Job(str(write_corpus(tmp_path / "in.jsonl", texts)), "animals-in", tmp_path, **more)
        return run.ingest(job, open_source(job.source, job.options), backend)

    texts = {str(number): f"a fox {number}" for number in range(30)}
    assert ingest(texts).documents == 30
    assert ingest({**texts, "30": "a hen"}, keep_existing=True).kept == 30
    assert ingest(texts, sync=True, max_deletes=1).deleted == 1
    assert ingest(texts, replace=True, passages=PassageSize(16, 0)).documents == 30
    backend.rollback("animals-in")
    backend.delete("animals-in")
    with pytest.raises(AuthError, match="private"):
        backend.count("private")


def test_a_caller_without_a_password_or_with_a_wrong_one_is_told_by_the_engine(
    gateway: Served, secured: Secured
) -> None:
    for user in (None, ("eve", "wrong")):
        refused = ask(gateway, user)
        own = httpx.post(f"{secured.url}/animals/_search", json={}, auth=user, verify=secured.trust)
        assert (refused.status_code, refused.content) == (own.status_code, own.content) == (401, b"Unauthorized")
        assert refused.headers["www-authenticate"] == own.headers["www-authenticate"]


@pytest.mark.parametrize("more", [{}, {"_source": False}, {"size": 3}, {"from": 2, "size": 30}])
def test_a_caller_sees_no_document_that_the_engine_hides_from_it(gateway: Served, more: dict[str, object]) -> None:
    everything = ask(gateway, READER, **more)
    assert everything.json()["hits"]["total"]["value"] == len(ANIMALS)
    assert everything.json()["prorank"]["window_size"] == len(ANIMALS)
    allowed = ask(gateway, EVE, **more)
    assert allowed.json()["hits"]["total"]["value"] == allowed.json()["prorank"]["window_size"] == len(ANIMALS) - 1
    assert "secret" not in ids(allowed)
    assert "hidden" not in allowed.text


def test_an_order_that_was_made_for_another_caller_is_never_used(gateway: Served) -> None:
    body = {"query": {"match": {"text": "hidden fox"}}}
    assert "secret" in ids(ask(gateway, READER, **body, size=2))
    second = ask(gateway, EVE, **body, **{"from": 1, "size": 20})
    assert "order_recomputed" in second.json()["prorank"]["reason"]
    assert "secret" not in ids(second)


def test_an_index_that_a_caller_may_not_read_is_the_engines_403(gateway: Served, secured: Secured) -> None:
    refused = gateway.http.post("/private/_search", json=FOX, auth=EVE)
    with secured.client(EVE) as eve:
        own = eve.post("/private/_search", json={"query": FOX["query"]})
    assert refused.status_code == own.status_code == 403
    assert refused.json()["error"]["type"] == own.json()["error"]["type"] == "security_exception"
    assert "no permissions for [indices:data/read/search]" in refused.json()["error"]["reason"]


def test_each_search_of_many_is_its_callers(gateway: Served) -> None:
    lines = [{"index": "animals"}, FOX, {"index": "private"}, FOX]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    headers = {"content-type": "application/x-ndjson"}
    first, second = gateway.http.post("/_msearch", content=text, headers=headers, auth=EVE).json()["responses"]
    assert "secret" not in {hit["_id"] for hit in first["hits"]["hits"]}
    assert first["prorank"]["status"] == "ok"
    assert (second["status"], second["error"]["type"]) == (403, "security_exception")


def test_the_service_account_is_for_callers_that_bring_none(secured: Secured) -> None:
    account: dict[str, Any] = {"engine_username": EVE[0], "engine_password": EVE[1], "gateway_account": "service"}
    with serving(OverlapRescorer, None, url=secured.url, engine_ca_certs=secured.certificate, **account) as served:
        wait_until_ready(served)
        assert "secret" not in ids(ask(served, None))
        assert "secret" in ids(ask(served, READER))


def test_writes_that_may_pass_the_gateway_are_still_the_engines_to_allow(secured: Secured) -> None:
    with serving(OverlapRescorer, url=secured.url, engine_ca_certs=secured.certificate, gateway_writes=True) as served:
        refused = wait_until_ready(served).http.put("/animals/_doc/9", json={}, auth=READER)
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "security_exception")
