from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from prorank_search.errors import ConfigError, NotReadyError
from prorank_search.serving.shelf import Shelf, Source
from prorank_search.types import RescorerInfo, Scored, ScoreRequest


class Model:
    """Says how many of it were opened, and whether it was closed."""

    info = RescorerInfo("model")

    def __init__(self, revision: str) -> None:
        self.revision = revision
        self.closed = False

    def score(self, request: ScoreRequest) -> list[Scored]:
        return [Scored(0.0)] * len(request.texts)

    def close(self) -> None:
        self.closed = True


class Store:
    """Where models lie: opening one gives its present version."""

    def __init__(self) -> None:
        self.version = 1
        self.opened: list[Model] = []

    def open(self) -> Model:
        self.opened.append(Model(f"v{self.version}"))
        return self.opened[-1]

    def mark(self) -> object:
        return self.version


def shelf_of(*stores: Store, room_mb: int = 200) -> Shelf:
    return Shelf({f"m{at}": Source(store.open, 100, store.mark) for at, store in enumerate(stores)}, room_mb)


def load(shelf: Shelf, name: str) -> None:
    shelf.load(name).result(30)


def test_what_nobody_used_longest_is_closed_where_there_is_no_room() -> None:
    stores = [Store(), Store(), Store()]
    shelf = shelf_of(*stores)
    for name in ("m0", "m1"):
        load(shelf, name)
    held = shelf.take("m0")
    assert held is not None
    shelf.give_back(held)
    load(shelf, "m2")
    assert set(shelf.loaded()) == {"m0", "m2"}
    assert [store.opened[0].closed for store in stores] == [False, True, False]


def test_what_is_in_use_is_not_closed_and_the_next_one_is_told_to_wait() -> None:
    stores = [Store(), Store()]
    shelf = shelf_of(*stores, room_mb=100)
    load(shelf, "m0")
    held = shelf.take("m0")
    assert held is not None
    with pytest.raises(NotReadyError, match="no room"):
        load(shelf, "m1")
    shelf.give_back(held)
    load(shelf, "m1")
    assert stores[0].opened[0].closed


def test_a_new_version_is_picked_up_and_requests_finish_on_the_old_one() -> None:
    shelf = shelf_of(store := Store())
    load(shelf, "m0")
    held = shelf.take("m0")
    assert held is not None
    store.version = 2
    shelf.refresh()
    assert shelf.loaded()["m0"].revision == "v1"  # it may still be being written
    shelf.refresh()
    load(shelf, "m0")
    assert shelf.loaded()["m0"].revision == "v2"
    assert (held.rescorer.revision, store.opened[0].closed) == ("v1", False)
    shelf.give_back(held)
    assert store.opened[0].closed


def test_a_version_of_before_that_holds_itself_leaves_the_memory() -> None:
    shelf = shelf_of(store := Store())
    load(shelf, "m0")
    first = store.opened.pop()
    first.itself = first  # type: ignore[attr-defined]  # as a model's parts hold each other
    gone = weakref.ref(first)
    gc.freeze()  # as after it was loaded
    del first
    store.version = 2
    shelf.refresh()
    shelf.refresh()
    load(shelf, "m0")
    gc.unfreeze()
    assert gone() is None


def test_a_model_that_goes_while_it_is_looked_at_stops_nobody() -> None:
    def mark() -> None:
        shelf.close()

    shelf = Shelf({"m0": Source(Store().open, mark=mark)}, 100)
    load(shelf, "m0")
    load(shelf, "m0")
    shelf.refresh()


@pytest.mark.parametrize("error", [ConfigError("no model lies there"), FileNotFoundError("config.json")])
def test_a_place_that_cannot_be_looked_at_is_looked_at_again(error: Exception) -> None:
    class Moved(Store):
        def mark(self) -> object:
            if self.version == 2:
                raise error
            return super().mark()

    shelf = shelf_of(store := Moved())
    load(shelf, "m0")
    store.version = 2
    shelf.refresh()
    store.version = 3
    shelf.refresh()
    shelf.refresh()
    load(shelf, "m0")
    assert shelf.loaded()["m0"].revision == "v3"


def test_a_new_version_that_cannot_be_loaded_leaves_the_old_one_and_is_tried_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = ConfigError("no contract")

    class Broken(Store):
        def open(self) -> Model:
            if self.version == 2:
                self.opened.append(Model("broken"))
                raise broken
            return super().open()

    shelf = shelf_of(store := Broken())
    load(shelf, "m0")
    store.version = 2
    for _ in range(5):
        shelf.refresh()
        wait_until(lambda: not shelf.busy)
    assert (shelf.loaded()["m0"].revision, len(store.opened)) == ("v1", 2)
    assert "what replaces model cannot be loaded, the previous one stays in use: no contract" in caplog.text
    store.version = 3
    for _ in range(3):
        shelf.refresh()
        wait_until(lambda: not shelf.busy)
    assert shelf.loaded()["m0"].revision == "v3"


def test_many_who_ask_at_once_load_a_model_once() -> None:
    may_load, store = threading.Event(), Store()

    def open_slowly() -> Model:
        may_load.wait()
        return store.open()

    shelf = Shelf({"m0": Source(open_slowly)}, 0)
    loading = [shelf.load("m0") for _ in range(5)]
    assert shelf.take("m0") is None
    may_load.set()
    for future in loading:
        future.result(30)
    assert len(store.opened) == 1


def wait_until(true: Callable[[], bool]) -> None:
    while not true():
        pass
