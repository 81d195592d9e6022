from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prorank_search import promotions
from prorank_search.errors import ConfigError, OverloadedError, RescorerError
from prorank_search.models import promotion
from prorank_search.rescorers.remote import RemoteRescorer, open_rescorer
from prorank_search.scoring import deadline
from prorank_search.settings import Settings, load_settings
from prorank_search.types import ScoreRequest
from tests.rerank_stub import Reply, RerankStub, rerank_stub

TEXTS = ("a fox", "a hen and a fox", "hens")
KEY = "hush-hush"

Start = Callable[..., tuple[RerankStub, RemoteRescorer]]


def lengths(body: dict[str, Any]) -> list[tuple[int, float]]:
    """Answer with each text's length, best first, as all servers do."""
    texts = body.get("documents") or body.get("texts") or body.get("text_2") or []
    return sorted(((at, float(len(text))) for at, text in enumerate(texts)), key=lambda pair: -pair[1])


def cohere(body: dict[str, Any]) -> Reply:
    return Reply({"results": [{"index": at, "relevance_score": score} for at, score in lengths(body)]})


def tei(body: dict[str, Any]) -> Reply:
    if len(body["texts"]) > 2:
        return Reply({"error": "batch size 3 > maximum allowed batch size 2", "error_type": "Validation"}, 422)
    return Reply([{"index": at, "score": score} for at, score in lengths(body)])


def vllm(body: dict[str, Any]) -> Reply:
    return Reply({"data": [{"index": at, "score": score} for at, score in lengths(body)]})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a server and a rescorer that asks it; pauses before another try are short."""
    monkeypatch.setattr("prorank_search.rescorers.remote.calls._FIRST_PAUSE_S", 0.001)
    with ExitStack() as running:

        def start(
            answer: Callable[[dict[str, Any]], Reply | None],
            path: str = "/v2/rerank",
            info: dict[str, Any] | None = None,
            **settings: object,
        ) -> tuple[RerankStub, RemoteRescorer]:
            stub = running.enter_context(rerank_stub(answer, info))
            rescorer = open_rescorer(Settings.model_validate({"remote_url": stub.url + path, **settings}))
            running.callback(rescorer.close)
            return stub, rescorer

        yield start


def scores(
    rescorer: RemoteRescorer, deadline: float | None = None, cancelled: Callable[[], bool] | None = None
) -> list[float | None]:
    request = ScoreRequest("fox", TEXTS, deadline=deadline, cancelled=cancelled)
    return [scored.score for scored in rescorer.score(request)]


@pytest.mark.parametrize(
    ("path", "answer"), [("/v1/rerank", cohere), ("/v2/rerank", cohere), ("/rerank", tei), ("/v1/score", vllm)]
)
def test_each_shape_is_known_by_its_path_and_scores_come_in_the_order_of_the_texts(
    start: Start, path: str, answer: Callable[[dict[str, Any]], Reply]
) -> None:
    _, rescorer = start(answer, path)
    assert scores(rescorer) == [5.0, 15.0, 4.0]


def test_a_path_that_nobody_knows_needs_a_shape(start: Start) -> None:
    with pytest.raises(ConfigError, match="remote_shape"):
        start(cohere, "/my/ranker")
    _, rescorer = start(cohere, "/my/ranker", remote_shape="cohere")
    assert scores(rescorer) == [5.0, 15.0, 4.0]


def test_a_batch_that_is_too_large_is_cut_until_the_server_takes_it(start: Start) -> None:
    stub, rescorer = start(tei, "/rerank")
    assert scores(rescorer) == [5.0, 15.0, 4.0]
    assert [len(body["texts"]) for body in stub.bodies] == [3, 2, 1]


def test_a_server_that_tells_its_limit_is_never_sent_more(start: Start) -> None:
    stub, rescorer = start(tei, "/rerank", info={"model_id": "bge", "model_sha": "1", "max_client_batch_size": 2})
    assert scores(rescorer) == [5.0, 15.0, 4.0]
    assert [len(body["texts"]) for body in stub.bodies] == [2, 1]


def test_a_text_that_is_refused_alone_is_an_error(start: Start) -> None:
    _, rescorer = start(lambda _: Reply({"detail": f"too long: {TEXTS[0]}"}, 422))
    with pytest.raises(RescorerError, match="answered 422") as failed:
        scores(rescorer)
    assert TEXTS[0] not in str(failed.value)


@pytest.mark.parametrize("first", [Reply({}, 429), Reply({}, 502), Reply({}, 503), Reply({}, 504), None])
def test_what_may_pass_is_tried_again(start: Start, first: Reply | None) -> None:
    replies = iter([first])
    stub, rescorer = start(lambda body: next(replies, cohere(body)))
    assert scores(rescorer) == [5.0, 15.0, 4.0]
    assert len(stub.bodies) == 2


def test_what_will_not_pass_is_not_tried_again(start: Start) -> None:
    stub, rescorer = start(lambda _: Reply({"message": "no"}, 500))
    with pytest.raises(RescorerError, match="answered 500"):
        scores(rescorer)
    assert len(stub.bodies) == 1


def test_a_server_that_is_busy_longer_than_anybody_waits_says_when_to_come_back(start: Start) -> None:
    stub, rescorer = start(lambda _: Reply({"message": "busy"}, 429, {"Retry-After": "60"}))
    with pytest.raises(OverloadedError, match="busy") as refused:
        scores(rescorer, deadline=time.monotonic() + 30)
    assert refused.value.retry_after_s == 60.0
    assert len(stub.bodies) == 1


def test_a_server_that_says_to_come_back_tomorrow_is_not_waited_for(start: Start) -> None:
    _, rescorer = start(lambda _: Reply({"message": "quota"}, 429, {"retry-after": "86400"}))
    with pytest.raises(OverloadedError) as failed:
        scores(rescorer)
    assert failed.value.retry_after_s == 86400


def test_an_answer_that_cannot_be_unpacked_is_an_error(start: Start) -> None:
    _, rescorer = start(lambda _: Reply({}, 200, {"content-encoding": "gzip"}))
    with pytest.raises(RescorerError, match="cannot be asked: DecodingError"):
        scores(rescorer)


def test_a_server_that_is_not_there_is_named() -> None:
    rescorer = open_rescorer(Settings(remote_url="http://127.0.0.1:9/v2/rerank"))
    with pytest.raises(RescorerError, match=r"http://127\.0\.0\.1:9/v2/rerank cannot be asked"):
        scores(rescorer)
    rescorer.close()


def test_the_deadline_leaves_the_rest_unscored(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    late, opened = threading.Event(), threading.Event()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now + 60.0 * late.is_set()))
    replies = iter([True])

    def slow_after_the_first(body: dict[str, Any]) -> Reply:
        if not next(replies, False):
            late.set()
            opened.wait()
        return tei(body)

    _, rescorer = start(slow_after_the_first, "/rerank", info={"max_client_batch_size": 2})
    assert scores(rescorer, deadline=now + 50.0) == [5.0, 15.0, None]
    opened.set()


def test_a_request_that_nobody_waits_for_ends_in_the_middle_of_a_call(start: Start) -> None:
    opened, gone = threading.Event(), threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        gone.set()
        opened.wait()
        return cohere(body)

    _, rescorer = start(answer)
    assert scores(rescorer, cancelled=gone.is_set) == [None] * 3
    opened.set()


@pytest.mark.parametrize("deadline_s", [None, 60.0])
def test_a_rescorer_that_is_closed_says_so_at_once(start: Start, deadline_s: float | None) -> None:
    asked, opened = threading.Event(), threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        asked.set()
        opened.wait(30)
        return cohere(body)

    _, rescorer = start(answer)
    deadline = None if deadline_s is None else time.monotonic() + deadline_s
    with ThreadPoolExecutor(1) as others:
        begun = others.submit(scores, rescorer, deadline)
        assert asked.wait(30)
        rescorer.close()
        with pytest.raises(RescorerError, match="is closed"):
            begun.result(30)
        with pytest.raises(RescorerError, match="is closed"):
            scores(rescorer, deadline)
    opened.set()


def test_a_closed_rescorer_keeps_neither_thread_nor_event_loop(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: loop)
    _, rescorer = start(cohere)
    scores(rescorer)
    rescorer.close()
    until = time.monotonic() + 30
    while not loop.is_closed():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_key_is_sent_and_shown_nowhere(start: Start) -> None:
    stub, rescorer = start(lambda _: Reply({"message": "invalid api token"}, 401), remote_api_key=KEY)
    with pytest.raises(RescorerError, match="invalid api token; set PRORANK_REMOTE_API_KEY") as refused:
        scores(rescorer)
    assert stub.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{refused.value} {rescorer.revision} {rescorer.info}"
    with pytest.raises(ValueError, match="PRORANK_REMOTE_API_KEY") as in_url:
        Settings(remote_url="https://me:secret@example.com/v2/rerank")
    assert "REMOTE" in str(in_url.value)


def test_the_revision_names_the_address_and_the_model(start: Start) -> None:
    stub, rescorer = start(cohere, "/v2/rerank?key=secret", model="rerank-v3.5")
    assert rescorer.revision == f"cohere-{stub.url}/v2/rerank-rerank-v3.5-"
    scores(rescorer)
    assert stub.bodies[0]["model"] == "rerank-v3.5"


def test_a_model_that_was_promoted_here_is_none_of_the_servers(start: Start, prorank_home: Path) -> None:
    stub, _ = start(cohere)
    promotions.promote(prorank_home, "ours")
    settings = load_settings(remote_url=f"{stub.url}/v2/rerank")
    assert settings.model == "ours"
    rescorer = open_rescorer(settings)
    scores(rescorer)
    rescorer.close()
    assert "model" not in stub.bodies[0]


def test_a_default_that_is_followed_is_not_sent_and_a_model_that_a_caller_names_is(
    start: Start, prorank_home: Path
) -> None:
    stub, _ = start(cohere)
    promotions.promote(prorank_home, "ours")
    settings = load_settings(remote_url=f"{stub.url}/v2/rerank")
    for opened in (promotion.followed(settings), settings.changed({"model": "theirs"}), settings):
        rescorer = open_rescorer(opened)
        scores(rescorer)
        rescorer.close()
    assert [body.get("model") for body in stub.bodies] == [None, "theirs", None]


def test_no_model_is_sent_where_none_was_set(start: Start) -> None:
    stub, rescorer = start(cohere)
    scores(rescorer)
    assert stub.bodies == [{"query": "fox", "documents": list(TEXTS), "top_n": 3}]


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 0, "relevance_score": 1.0}]},
        {"results": [{"index": at, "relevance_score": 1.0} for at in (0, 1, 1)]},
        {"results": [{"index": at, "relevance_score": None} for at in range(3)]},
        {"results": [{"index": at, "relevance_score": float("nan")} for at in range(3)]},
        {"results": [{"index": at, "relevance_score": 1.0} for at in range(1, 4)]},
        {"result": []},
        [],
    ],
)
def test_an_answer_that_is_none_is_an_error(start: Start, answer: object) -> None:
    _, rescorer = start(lambda _: Reply(answer))
    with pytest.raises(RescorerError, match=r"http://127\.0\.0\.1"):
        scores(rescorer)


def test_the_address_of_a_clouds_metadata_is_refused() -> None:
    with pytest.raises(ConfigError, match="refused to ask"):
        open_rescorer(Settings(remote_url="http://169.254.169.254/v2/rerank"))


def test_without_an_address_the_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="remote_url"):
        open_rescorer(Settings())
