"""A ProRank service behind another one: what comes out at the end is what the model said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from prorank_search.protocols import Rescorer
from prorank_search.rescorers.chain import ChainRescorer, Part
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.rescorers.prorank import ProRankRescorer
from prorank_search.rescorers.remote import RemoteRescorer, open_rescorer
from prorank_search.settings import Settings
from prorank_search.types import ScoreRequest
from tests import tiny_model
from tests.serving.live import Gate, Served

QUERY = "how fast does a fox run"
TEXTS = (
    "A fox runs 50 km/h over the fields.",
    "Whales swim in the cold sea.",
    "return path",
    "",
    "fox " * 3000,
    "same",
    "same",
)

Serve = Callable[..., Served]
Ask = Callable[[str], RemoteRescorer]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[ProRankRescorer]:
    rescorer = ProRankRescorer(tiny_model.load(tiny_model.write_contract(tiny_model.write_model(tmp_path / "tiny"))))
    yield rescorer
    rescorer.close()


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Opens the rescorer that asks an address."""
    with ExitStack() as opened:

        def ask(url: str) -> RemoteRescorer:
            rescorer = open_rescorer(Settings(remote_url=url))
            opened.callback(rescorer.close)
            return rescorer

        yield ask


def scores(rescorer: Rescorer, instruction: str | None = None) -> list[float | None]:
    return [scored.score for scored in rescorer.score(ScoreRequest(QUERY, TEXTS, instruction))]


@pytest.mark.parametrize("path", ["", "/v1/rerank", "/v2/rerank", "/rerank", "/v1/score"])
def test_two_services_in_a_row_give_the_scores_of_the_model(
    serve: Serve, ask: Ask, local: ProRankRescorer, path: str
) -> None:
    inner = serve(local)
    outer = serve(ask(inner.url))
    last = ask(outer.url + path)
    assert scores(last) == pytest.approx(scores(local), abs=1e-6)
    assert scores(last, "be strict") == pytest.approx(scores(local, "be strict"), abs=1e-6)
    assert scores(last, "be strict") != scores(last)


def test_a_remote_service_says_of_itself_what_its_model_does(serve: Serve, ask: Ask, local: ProRankRescorer) -> None:
    remote = ask(serve(local).url)
    assert remote.info == local.info
    assert local.revision in remote.revision


def test_what_was_cut_is_marked_through_a_service(serve: Serve, ask: Ask, local: ProRankRescorer) -> None:
    remote = ask(serve(local).url)
    long = ScoreRequest("fox " * 3000, TEXTS)
    assert [(one.truncated, one.query_truncated) for one in remote.score(long)] == [
        (one.truncated, one.query_truncated) for one in local.score(long)
    ]


def test_a_service_whose_model_is_slow_answers_in_time_with_what_it_has(serve: Serve, ask: Ask) -> None:
    gate = Gate()
    remote = ask(serve(gate).url)
    began = time.monotonic()
    scored = remote.score(ScoreRequest(QUERY, TEXTS, deadline=began + 1.0))
    gate.opened.set()
    assert [one.score for one in scored] == [None] * len(TEXTS)


def test_hanging_up_on_the_first_service_frees_the_last_one(serve: Serve, ask: Ask) -> None:
    gate = Gate()
    remote = ask(serve(gate).url)
    request = ScoreRequest(QUERY, TEXTS, cancelled=lambda: gate.entered.acquire(blocking=False))
    remote.score(request)
    assert gate.cancelled.wait(30)
    gate.opened.set()


def test_a_chain_behind_a_service_tells_what_each_of_its_rescorers_said(serve: Serve, ask: Ask) -> None:
    chain = ChainRescorer([Part(OverlapRescorer(), 1), Part(OverlapRescorer(), weight=1.0)])
    served = serve(chain)
    request = ScoreRequest("red fox", ["a hen", "a red fox", "a fox"])
    scored = ask(served.url).score(request)
    assert scored == chain.score(request)
    body = served.http.post("/v2/rerank", json={"query": "red fox", "documents": request.texts}).json()
    assert [row["index"] for row in body["results"]] == [1, 2, 0]
    assert (body["prorank"]["status"], body["prorank"]["parts"]) == ("ok", {"overlap": 3, "overlap (2)": 1})
    assert body["results"][1]["prorank"]["left_out"] is True
