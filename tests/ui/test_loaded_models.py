"""Which second stages stay in memory, and who waits for their loading."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from prorank_search.errors import MissingModelError
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_ui.clients.loaded_models import LoadedModels


def test_a_model_is_loaded_once() -> None:
    models = LoadedModels()
    first = models.get("a", OverlapRescorer)
    assert models.get("a", OverlapRescorer) is first


def test_the_model_that_nobody_asked_for_longest_leaves_memory() -> None:
    models = LoadedModels()
    first, second = (weakref.ref(models.get(key, OverlapRescorer)) for key in "ab")
    for key in "cad":
        models.get(key, OverlapRescorer)
    gc.collect()
    assert first() is not None
    assert second() is None


def test_who_asks_for_another_model_does_not_wait_and_who_asks_for_the_same_gets_that_one() -> None:
    models, begun, goes_on = LoadedModels(), Event(), Event()

    def load() -> OverlapRescorer:
        begun.set()
        assert goes_on.wait(60)
        return OverlapRescorer()

    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(models.get, "slow", load)
        assert begun.wait(60)
        same = threads.submit(models.get, "slow", OverlapRescorer)
        models.get("quick", OverlapRescorer)
        assert not slow.done()
        goes_on.set()
        assert same.result(60) is slow.result(60)


def test_a_model_that_could_not_be_loaded_is_tried_anew() -> None:
    models = LoadedModels()

    def fail() -> OverlapRescorer:
        raise MissingModelError("not here")

    with pytest.raises(MissingModelError):
        models.get("a", fail)
    assert models.get("a", OverlapRescorer).info.model == "overlap"
