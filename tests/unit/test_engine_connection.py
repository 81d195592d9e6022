from __future__ import annotations

import base64
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from prorank_search.backends.engines import connection, detection, elasticsearch, opensearch
from prorank_search.backends.engines.connection import Engine
from prorank_search.backends.engines.search import EngineSearch
from prorank_search.errors import (
    AuthError,
    BackendError,
    ConfigError,
    EngineError,
    IndexNotFoundError,
    UnreachableError,
)
from prorank_search.search import load_backend
from prorank_search.settings import Settings, load_settings
from prorank_search.types import Query, SearchRequest
from tests.engine_stub import ELASTICSEARCH, OPENSEARCH, Answer, answering, failed


@dataclass(frozen=True)
class Kind:
    """An engine: how we connect, what it says of itself, and the header that it answers with."""

    connect: Callable[[Settings], Engine]
    root: Mapping[str, Mapping[str, str]]
    product: str


KINDS = {
    "opensearch": Kind(opensearch.connect, OPENSEARCH, ""),
    "elasticsearch": Kind(elasticsearch.connect, ELASTICSEARCH, "Elasticsearch"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_PAUSE_S", 0.001)


def asked(kind: Kind, *answers: Answer, **settings: object) -> list[str]:
    """Connect, ask once, and return what the server saw of it after `GET /`."""
    with answering(Answer(200, kind.root), *answers, product=kind.product) as stub:
        kind.connect(Settings.model_validate({"url": stub.url, **settings})).request("GET", "/animals/_count")
        return stub.seen[1:]


def test_an_engine_says_which_one_it_is(kind: Kind) -> None:
    with answering(Answer(200, kind.root), product=kind.product) as stub:
        engine = kind.connect(Settings(url=stub.url))
        found = detection.connect(Settings(url=stub.url))
    assert (engine.name, engine.version, engine.where) == (found.name, kind.root["version"]["number"], stub.url)


def test_a_client_that_is_not_the_servers_is_told_in_a_sentence(kind: Kind) -> None:
    wrong, wrong_product = (ELASTICSEARCH, "Elasticsearch") if kind.root is OPENSEARCH else (OPENSEARCH, "")
    other = "elasticsearch" if kind.root is OPENSEARCH else "opensearch"
    with (
        answering(Answer(200, wrong), product=wrong_product) as stub,
        pytest.raises(ConfigError, match=f"^the backend is .*: use --backend {other} "),
    ):
        kind.connect(Settings(url=stub.url))


def test_the_backend_auto_is_the_engine_at_the_address(kind: Kind) -> None:
    with answering(Answer(200, kind.root), product=kind.product) as stub:
        opened = load_backend(Settings(url=stub.url))
        assert isinstance(opened, EngineSearch)
        assert opened.engine.name == kind.connect(Settings(url=stub.url)).name


def test_where_a_user_may_not_ask_which_engine_it_is_the_settings_are_believed(kind: Kind) -> None:
    denied = Answer(403, failed("security_exception", "no permissions for [cluster:monitor/main]"))
    with answering(denied, Answer(200, {"count": 3}), product=kind.product) as stub:
        engine = kind.connect(Settings(url=stub.url))
        assert (engine.version, engine.request("GET", "/animals/_count")) == ("", {"count": 3})


def test_where_a_user_may_not_ask_and_nothing_is_believed_the_backend_has_to_be_said() -> None:
    denied = Answer(403, failed("security_exception", "no permissions for [cluster:monitor/main]"))
    with answering(denied) as stub, pytest.raises(AuthError, match="--backend opensearch or --backend elasticsearch"):
        detection.connect(Settings(url=stub.url))


def test_the_look_which_engine_it_is_keeps_to_the_settings(kind: Kind) -> None:
    slow = Answer(200, kind.root, after_s=0.6)
    with answering(slow, product=kind.product) as stub, pytest.raises(UnreachableError, match=r"within 0.1 s"):
        detection.connect(Settings(url=stub.url, engine_timeout_s=0.1))
    with answering(*[Answer(503, {})] * 9) as stub:
        with pytest.raises(EngineError, match="503"):
            detection.connect(Settings(url=stub.url, engine_attempts=2))
        assert len(stub.seen) == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_another_attempt_may_cure_is_tried_again(kind: Kind, status: int) -> None:
    busy = Answer(status, failed("busy_exception", "too much to do"))
    assert len(asked(kind, busy, busy, Answer(200, {"count": 3}))) == 3


def test_a_lost_connection_is_tried_again(kind: Kind) -> None:
    assert len(asked(kind, Answer(0), Answer(200, {"count": 3}))) == 2


def test_attempts_end(kind: Kind) -> None:
    busy = Answer(503, failed("busy_exception", "too much to do"))
    with answering(Answer(200, kind.root), busy, product=kind.product) as stub:
        engine = kind.connect(Settings(url=stub.url, engine_attempts=2))
        with pytest.raises(EngineError, match="503 busy_exception to GET /x/_count: too much to do") as told:
            engine.request("GET", "/x/_count")
        assert len(stub.seen) == 3
        with pytest.raises(EngineError):
            engine.request("GET", "/x/_count", attempts=1)
        assert len(stub.seen) == 4
    assert (told.value.status, told.value.error_type, told.value.reason) == (503, "busy_exception", "too much to do")


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(401, failed("security_exception", "missing token")), AuthError, "PRORANK_ENGINE_USERNAME"),
        (Answer(401, "Unauthorized"), AuthError, "401: Unauthorized"),
        (Answer(403, failed("security_exception", "no permissions for [x]")), AuthError, "no permissions for .x.*role"),
        (
            Answer(404, failed("index_not_found_exception", "no such index [animals]", index="animals")),
            IndexNotFoundError,
            "no index 'animals' at http://127.0.0.1",
        ),
        (Answer(413, "<html>too large</html>"), EngineError, "413 .*http.max_content_length"),
        (Answer(403, failed("cluster_block_exception", "index read-only")), EngineError, "read-only.*disk"),
        (Answer(500, failed("too_many_clauses", "limit is 1024")), EngineError, "fewer fields"),
        (Answer(502, "<html>Bad Gateway</html>"), EngineError, "Bad Gateway.*a proxy"),
        (Answer(200, "<html>hello</html>"), EngineError, "502"),
    ],
)
def test_each_failure_reads_differently_and_says_what_to_do(
    kind: Kind, answer: Answer, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        asked(kind, answer)


def test_an_answer_that_takes_too_long_is_not_asked_for_again(kind: Kind) -> None:
    slow = Answer(200, {"count": 3}, after_s=0.6)
    with answering(Answer(200, kind.root), slow, product=kind.product) as stub:
        engine = kind.connect(Settings(url=stub.url))
        with pytest.raises(UnreachableError, match=r"within 0.1 s.*PRORANK_ENGINE_TIMEOUT_S") as told:
            engine.request("GET", "/animals/_count", timeout_s=0.1)
        assert told.value.timed_out
        while len(stub.seen) < 2:  # the stub may hear of it when nobody waits any longer
            time.sleep(0.01)
        time.sleep(0.7)  # as long as the slow answer takes, and another request would
        assert len(stub.seen) == 2


def test_nobody_at_the_address_is_told(kind: Kind) -> None:
    with pytest.raises(UnreachableError, match=r"nobody answers at http://127.0.0.1:9 .*is the engine running"):
        kind.connect(Settings(url="http://127.0.0.1:9"))


def test_a_node_that_is_gone_is_passed_over(kind: Kind) -> None:
    with answering(Answer(200, kind.root), product=kind.product) as stub:
        engine = kind.connect(Settings(url=f"http://127.0.0.1:9,{stub.url}"))
        assert [engine.request("GET", "/") for _ in range(3)] == [kind.root] * 3


def test_encryption_that_fails_is_told(kind: Kind) -> None:
    with (
        answering(Answer(200, kind.root), product=kind.product) as stub,
        pytest.raises(UnreachableError, match=r"no secure connection.*PRORANK_ENGINE_CA_CERTS"),
    ):
        kind.connect(Settings(url=stub.url.replace("http:", "https:"), engine_attempts=1))


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        ({"engine_username": "eve", "engine_password": "apple"}, f"Basic {base64.b64encode(b'eve:apple').decode()}"),
        ({"engine_api_key": "c2VjcmV0"}, "ApiKey c2VjcmV0"),
    ],
)
def test_credentials_go_along(kind: Kind, credentials: dict[str, str], header: str) -> None:
    with answering(Answer(200, kind.root), product=kind.product) as stub:
        kind.connect(Settings.model_validate({"url": stub.url, **credentials}))
        assert stub.headers["authorization"] == header


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine_username": "eve"}, "belong together"),
        ({"engine_username": "eve", "engine_password": "x", "engine_api_key": "y"}, "one user at a time"),
        ({"engine_ca_certs": "/nowhere/ca.pem"}, "no such file"),
        ({"url": "localhost:9200"}, "is no address"),
        ({"url": None}, "needs an address"),
    ],
)
def test_settings_that_name_nobody_or_two_are_refused(kind: Kind, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        kind.connect(Settings.model_validate({"url": "http://127.0.0.1:9", **settings}))


def test_a_metadata_service_is_never_asked(kind: Kind) -> None:
    with pytest.raises(ConfigError, match=r"'169\.254\.169\.254' for the engine"):
        kind.connect(Settings(url="http://127.0.0.1,http://169.254.169.254"))


def test_a_secret_is_in_no_message(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_ENGINE_USERNAME", "eve")
    monkeypatch.setenv("PRORANK_ENGINE_PASSWORD", "topsecret")
    settings = load_settings(url="http://127.0.0.1:9", engine_attempts=1)
    with pytest.raises(BackendError) as told:
        kind.connect(settings)
    assert "topsecret" not in f"{told.value} {settings!r} {settings.model_dump(mode='json')}"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prorank.toml").write_text("engine_password = 123456\n", encoding="utf-8")
    monkeypatch.delenv("PRORANK_ENGINE_PASSWORD")
    with pytest.raises(ConfigError) as wrong:
        load_settings()
    with pytest.raises(ConfigError, match="PRORANK_ENGINE_USERNAME") as in_url:
        load_settings(config=None, url="http://eve:topsecret@127.0.0.1:9", engine_password="x")  # noqa: S106
    assert "123456" not in str(wrong.value)
    assert "topsecret" not in str(in_url.value)


def test_of_many_searches_those_that_found_no_room_are_sent_again(kind: Kind) -> None:
    mapping = Answer(200, {"animals-1": {"mappings": {"properties": {"text": {"type": "text"}}}}})
    full = {"status": 429, **failed("rejected_execution_exception", "queue is full")}
    hit = {"_index": "animals-1", "_score": 1.0, "_source": {"text": "a"}}
    found = [{"status": 200, "hits": {"hits": [{**hit, "_id": each}]}} for each in "ab"]
    busy, rest = Answer(200, {"responses": [full, found[1]]}), Answer(200, {"responses": [found[0]]})
    requests = [SearchRequest("animals", Query(text, text)) for text in ("fox", "owl")]
    with answering(Answer(200, kind.root), mapping, busy, rest, product=kind.product) as stub:
        rankings = EngineSearch(kind.connect(Settings(url=stub.url))).search_many(requests)
        assert [ranking.hits[0].document.doc_id for ranking in rankings] == ["a", "b"]
        assert stub.seen[-2:] == ["POST /_msearch", "POST /_msearch"]
    with answering(
        Answer(200, kind.root), mapping, busy, busy, Answer(200, {"responses": [full]}), product=kind.product
    ) as stub:
        backend = EngineSearch(kind.connect(Settings(url=stub.url, engine_attempts=1)))
        with pytest.raises(EngineError, match=r"429 rejected_execution_exception.*queue is full"):
            backend.search_many(requests)


def test_requests_are_signed_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "topsecret")
    with answering(Answer(200, OPENSEARCH)) as stub:
        opensearch.connect(Settings(url=stub.url, engine_aws_region="eu-west-1"))
        signature = stub.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/es/aws4_request" in signature
    with pytest.raises(ConfigError, match="--backend opensearch"):
        elasticsearch.connect(Settings(url=stub.url, engine_aws_region="eu-west-1"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate of its own for 127.0.0.1, as one file and as two."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("certificates")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stub"]
    files = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "ca.pem"),
    ]
    subprocess.run([openssl, *made, *files], check=True, capture_output=True)
    return folder


def test_a_certificate_is_checked_and_ones_own_is_shown(kind: Kind, certificates: Path) -> None:
    files = {"engine_ca_certs": certificates / "ca.pem"}
    client = {"engine_client_cert": certificates / "ca.pem", "engine_client_key": certificates / "key.pem"}
    with answering(Answer(200, kind.root), product=kind.product, certificates=certificates) as stub:
        assert kind.connect(Settings.model_validate({"url": stub.url, **files, **client})).version
        with pytest.raises(UnreachableError, match=r"no secure connection.*PRORANK_ENGINE_CA_CERTS"):
            kind.connect(Settings.model_validate({"url": stub.url, "engine_attempts": 1, **client}))
        with pytest.raises(UnreachableError):
            kind.connect(Settings.model_validate({"url": stub.url, "engine_attempts": 1, **files}))
