from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prorank_search import promotions
from prorank_search.errors import ConfigError, MissingModelError
from prorank_search.models import promotion
from prorank_search.profiles import load_profiles
from prorank_search.protocols import Rescorer
from prorank_search.rescorers import from_function
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.search import load_rescorer
from prorank_search.serving.model_sources import model_of, other_sources, source_of
from prorank_search.serving.shelf import Shelf, Source
from prorank_search.settings import Settings, load_settings
from tests import tiny_model
from tests.serving.live import Gate, Served, serving, wait_until_ready

ASKED = {"query": "fox", "documents": ["a fox", "a hen"]}


def rerank(served: Served, **more: object) -> dict[str, object]:
    response = served.http.post("/v2/rerank", json=ASKED | more)
    assert response.status_code == 200, response.text
    body: dict[str, object] = response.json()["prorank"]
    return body


def test_a_request_names_its_model_which_is_loaded_when_it_is_first_asked_for() -> None:
    opened: list[str] = []

    def open_lengths() -> Rescorer:
        opened.append("lengths")
        return from_function(lambda _, texts: [float(len(text)) for text in texts], name="lengths", revision="l-1")

    with serving(OverlapRescorer, {"lengths": Source(open_lengths)}, rescorer="overlap") as served:
        wait_until_ready(served)
        assert opened == []
        assert rerank(served)["model"] == "overlap"
        assert [rerank(served, model="lengths")["model"] for _ in range(2)] == ["lengths"] * 2
        assert opened == ["lengths"]
        assert [model["id"] for model in served.http.get("/v1/models").json()["data"]] == ["overlap", "lengths"]
        info = served.http.get("/info", params={"model": "lengths"}).json()
        assert (info["model_id"], info["model_sha"]) == ("lengths", "l-1")
        unknown = served.http.post("/v2/rerank", json=ASKED | {"model": "gpt"})
        assert (unknown.status_code, unknown.json()["message"]) == (
            404,
            "there is no model 'gpt' here; known are: overlap, lengths",
        )


def test_a_model_that_loads_longer_than_anybody_waits_is_there_for_the_next_one() -> None:
    gate = Gate()

    def open_slowly() -> Rescorer:
        gate.opened.wait()
        return gate

    with serving(OverlapRescorer, {"gate": Source(open_slowly)}, rescorer="overlap") as served:
        wait_until_ready(served)
        asked = ASKED | {"model": "gate", "prorank": {"timeout_s": 0.05}}
        response = served.http.post("/v2/rerank", json=asked)
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        gate.opened.set()
        assert rerank(served, model="gate")["model"] == "gate"


def test_a_model_that_cannot_be_loaded_fails_its_own_requests_only() -> None:
    def missing() -> Rescorer:
        raise MissingModelError("never pulled")

    with serving(OverlapRescorer, {"gone": Source(missing)}, rescorer="overlap") as served:
        wait_until_ready(served)
        assert served.http.post("/v2/rerank", json=ASKED | {"model": "gone"}).status_code == 500
        assert rerank(served)["status"] == "ok"


def test_a_model_that_is_replaced_on_disk_is_served_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prorank_search.serving.service._LOOK_S", 0.05)
    folder = tiny_model.write_contract(tiny_model.write_model(tmp_path / "promoted"))
    settings = Settings(model=str(folder), device="cpu", dtype="float32")
    with serving(lambda: load_rescorer(settings=settings), model=str(folder), device="cpu", dtype="float32") as served:
        before = rerank(wait_until_ready(served))["model_revision"]
        better = tiny_model.write_contract(tiny_model.write_model(tmp_path / "better", seed=1))
        for path in better.iterdir():
            shutil.copy(path, folder / f"{path.name}.part")  # never into a file that is mapped
            (folder / f"{path.name}.part").replace(folder / path.name)
        with ThreadPoolExecutor(4) as clients:
            while True:
                revisions = set(clients.map(lambda _: rerank(served)["model_revision"], range(8)))
                if before not in revisions:
                    break


def settings_with(*names: str, **more: object) -> Settings:
    return Settings.model_validate({"more_models": names, **more})


def test_other_models_are_those_of_the_setting_and_of_profiles(tmp_path: Path) -> None:
    config = tmp_path / "prorank.toml"
    config.write_text('[profiles.books]\nrescorer = "overlap"\n[profiles.plain]\n', encoding="utf-8")
    folder = tiny_model.write_contract(tiny_model.write_model(tmp_path / "mine"))
    sources = other_sources(settings_with(str(folder), config=config), lambda own: load_rescorer(settings=own))
    assert list(sources) == ["mine", "overlap"]
    assert sources["overlap"].open().info.model == "overlap"
    assert sources["mine"].mark() is not None


def test_a_model_that_is_not_there_or_has_no_room_is_told_before_anything_is_served(tmp_path: Path) -> None:
    def never(settings: Settings) -> Rescorer:
        raise AssertionError(settings)

    with pytest.raises(MissingModelError):
        other_sources(settings_with("nowhere"), never)
    folder = tiny_model.write_contract(tiny_model.write_model(tmp_path / "mine"))
    (folder / "ballast").write_bytes(b"0" * 2_000_000)
    with pytest.raises(ConfigError, match="more_models_mb"):
        other_sources(settings_with(str(folder), more_models_mb=1), never)


Serve = Callable[..., Served]


def counting(asked: list[str]) -> Rescorer:
    def score(query: str, texts: Sequence[str]) -> list[float]:
        asked.extend(texts)
        return [float(len(text) + len(query)) for text in texts]

    return from_function(score, revision="counting-1")


def test_what_was_scored_is_remembered_until_something_that_changes_a_score_does(serve: Serve) -> None:
    asked: list[str] = []
    served = serve(counting(asked))
    first, again = rerank(served), rerank(served)
    assert asked == ["a fox", "a hen"]
    assert {**first, "took_ms": 0} == {**again, "took_ms": 0}
    rerank(served, documents=["a fox", "an owl"])
    assert asked == ["a fox", "a hen", "an owl"]
    rerank(served, prorank={"instruction": "be strict"})
    rerank(served, query="hens")
    assert asked == ["a fox", "a hen", "an owl", "a fox", "a hen", "a fox", "a hen"]


def test_without_a_memory_everything_is_scored_anew(serve: Serve) -> None:
    asked: list[str] = []
    served = serve(counting(asked), score_memory_mb=0)
    rerank(served), rerank(served)
    assert len(asked) == 4


def test_scores_on_disk_outlive_the_service(serve: Serve) -> None:
    for scored in (["a fox", "a hen"], []):
        asked: list[str] = []
        rerank(serve(counting(asked), score_memory_on_disk=True))
        assert asked == scored


def test_what_is_remembered_needs_no_place_in_line_and_says_nothing_about_speed(serve: Serve) -> None:
    gate = Gate()
    served = serve(gate, max_queued_tokens=1)
    gate.opened.set()
    rerank(served)
    gate.opened.clear()
    speed = served.service.admission.tokens_a_second
    with ThreadPoolExecutor() as callers:
        waiting = callers.submit(rerank, served, query="another")
        while not served.service.admission.queued_tokens:
            pass
        assert rerank(served)["status"] == "ok"
        gate.opened.set()
        waiting.result()
    assert served.service.admission.tokens_a_second != 0.0
    assert speed != 0.0


def test_a_promotion_is_served_without_a_restart_and_profiles_keep_the_model_that_they_name(
    tmp_path: Path, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, name in enumerate(("first", "second")):
        tiny_model.write_contract(tiny_model.write_model(prorank_home / "models" / name, seed=seed), name=name)
    promotions.promote(prorank_home, "first")
    (tmp_path / "prorank.toml").write_text('[profiles.books]\nmodel = "first"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(device="cpu", dtype="float32")
    sources = other_sources(settings, lambda own: load_rescorer(settings=own))
    opened = source_of(settings, lambda: load_rescorer(settings=promotion.followed(settings)))
    books = load_profiles(settings.config)["books"]
    assert model_of(settings, books) is None
    shelf = Shelf({"": opened, **sources}, 100)
    shelf.load("").result(timeout=60)
    promotions.promote(prorank_home, "second")
    while shelf.loaded()[""].info.model != "second":
        shelf.refresh()
    shelf.close()
    assert model_of(settings, books) == "first"
    assert list(sources) == ["first"]
