from __future__ import annotations

import asyncio
import gzip
import json
import random
from pathlib import Path

import pytest

from prorank_search.errors import TooLargeError
from prorank_search.serving.embedded_upstream import EmbeddedUpstream
from prorank_search.serving.upstream import EngineAnswer, EngineRequest
from prorank_search.settings import Settings
from prorank_search.testing.backends import DOCUMENTS
from prorank_search.types import Document
from tests.random_bodies import random_body
from tests.serving.embedded import make_index


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_index(tmp_path, "animals", list(DOCUMENTS))
    return tmp_path


def send(home: Path, *requests: EngineRequest) -> list[EngineAnswer]:
    async def all_of_them() -> list[EngineAnswer]:
        upstream = EmbeddedUpstream(Settings(home=home))
        answers = await asyncio.gather(*(upstream.send(request) for request in requests))
        await upstream.close()
        return answers

    return asyncio.run(all_of_them())


def search(body: object, index: str = "animals") -> EngineRequest:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return EngineRequest("POST", f"/{index}/_search", body=text)


def test_zipped_bodies_are_read_and_bombs_are_not(home: Path) -> None:
    def zipped(body: bytes) -> EngineRequest:
        return EngineRequest("POST", "/animals/_count", headers={"content-encoding": "gzip"}, body=gzip.compress(body))

    whole = EngineRequest("POST", "/animals/_count", headers={"content-encoding": "gzip"}, body=b"{junk}")
    answers = send(home, zipped(b'{"query": {"match_all": {}}}'), zipped(b"{"), whole)
    assert [answer.status for answer in answers] == [200, 400, 400]
    assert json.loads(answers[0].body)["count"] == len(DOCUMENTS)
    with pytest.raises(TooLargeError):
        send(home, zipped(b" " * (17 << 20)))


def test_random_bodies_are_answered_or_refused(home: Path) -> None:
    chance = random.Random(7)
    answers = send(home, *(search(random_body(chance)) for _ in range(2_000)))
    assert {answer.status for answer in answers} == {200, 400}
    for answer in answers:
        read = json.loads(answer.body, parse_constant=pytest.fail)
        assert (answer.status == 200) == ("hits" in read)
        assert answer.status == 200 or not any(document.text[:20] in read["error"]["reason"] for document in DOCUMENTS)


@pytest.mark.parametrize(
    "body",
    [b'{"size": NaN}', b"{", b"\xff", b"[" * 100_000, b'{"size": ' + b"9" * 5_000 + b"}", b'{"a": 1} {"b": 2}'],
    ids=["nan", "open", "bytes", "deep", "long", "two"],
)
def test_what_is_no_json_is_refused(home: Path, body: bytes) -> None:
    (answer,) = send(home, search(body))
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["type"] == "parsing_exception"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "get", ""])
def test_any_path_is_answered_or_refused(home: Path, method: str) -> None:
    parts = (
        "",
        "/",
        "animals",
        "_all",
        "*",
        "a,b",
        "_search",
        "_doc",
        "_mget",
        "x\x00",
        "..",
        "_cat",
        "indices",
        "[",
        "é" * 99,
    )
    chance = random.Random(method)
    paths = ["/".join(["", *chance.choices(parts, k=chance.randrange(1, 4))]) for _ in range(200)]
    queries = chance.choices(
        ("", "format=json", "size=1&size=2", "%ff=%00", "filter_path=**,-*x", "h=index&v", "&&="), k=200
    )
    requests = [EngineRequest(method, path, query) for path, query in zip(paths, queries, strict=True)]
    assert {answer.status for answer in send(home, *requests)} <= {200, 400, 403, 404, 405}


def test_a_head_has_no_body(home: Path) -> None:
    there, missing = send(home, EngineRequest("HEAD", "/animals"), EngineRequest("HEAD", "/nowhere"))
    assert (there.status, there.body) == (200, b"")
    assert (missing.status, missing.body) == (404, b"")


def test_an_id_may_have_slashes(home: Path) -> None:
    make_index(home, "paths", [Document("a/b c", "one")])
    (answer,) = send(home, EngineRequest("GET", "/paths/_doc/a/b c"))
    assert json.loads(answer.body)["_source"]["text"] == "one"


def test_a_missing_index_is_named_as_opensearch_names_it(home: Path) -> None:
    (answer,) = send(home, search({}, "nowhere"))
    cause = {
        "type": "index_not_found_exception",
        "reason": "no such index [nowhere]",
        "index": "nowhere",
        "resource.id": "nowhere",
        "resource.type": "index_or_alias",
        "index_uuid": "_na_",
    }
    assert json.loads(answer.body) == {"error": {"root_cause": [cause], **cause}, "status": 404}


def test_an_index_that_is_made_meanwhile_is_seen(home: Path) -> None:
    (before,) = send(home, search({}, "later"))
    make_index(home, "later", [Document("1", "one")])
    (after,) = send(home, search({}, "later"))
    assert (before.status, after.status) == (404, 200)


def test_a_damaged_index_is_a_fault_that_names_no_path(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    for version in (home / "indexes" / "animals").glob("v*"):
        (version / "meta.json").unlink()
    (answer,) = send(home, search({}))
    assert answer.status == 503
    assert str(home) not in answer.body.decode()
    assert str(home) in caplog.text
