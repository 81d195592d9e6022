"""The models of a service: loaded when they are asked for, let go when there is no room, replaced when they change."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from prorank_search.errors import NotReadyError, ProRankError
from prorank_search.protocols import Closing, Rescorer

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    Attributes:
        open: Loads it.
        size_mb: What it takes in memory, about.
        mark: Changes when another model lies in its place. Raises `ProRankError` where none lies there.
        stays: Whether it is never let go, and takes none of the room.
    """

    open: Callable[[], Rescorer]
    size_mb: int = 0
    mark: Callable[[], object] = lambda: None
    stays: bool = False


@dataclass(eq=False, slots=True)
class Held:
    """A model that is loaded.

    Attributes:
        rescorer: It.
        mark: Of its source, before it was loaded.
        users: Requests that have it now.
        used: `time.monotonic()` seconds of the last one.
        retired: Whether another one took its place: it is closed when the last request gives it back.
    """

    rescorer: Rescorer
    mark: object
    users: int = 0
    used: float = field(default_factory=time.monotonic)
    retired: bool = False


class Shelf:
    """Holds models by name. Safe from many threads; one model is loaded at a time.

    Args:
        sources: Where the models come from.
        room_mb: What the loaded ones may take together, those that stay apart.
    """

    def __init__(self, sources: Mapping[str, Source], room_mb: int) -> None:
        self._sources, self._room_mb = sources, room_mb
        self._held: dict[str, Held] = {}
        self._loading: dict[str, Future[None]] = {}
        self._seen: dict[str, object] = {}
        self._lock = threading.RLock()
        self._one_at_a_time = threading.Lock()

    @property
    def names(self) -> list[str]:
        """All models, loaded or not."""
        return list(self._sources)

    @property
    def busy(self) -> bool:
        """Whether a model is being loaded."""
        return bool(self._loading)

    def loaded(self) -> dict[str, Rescorer]:
        """Return the models that are loaded."""
        with self._lock:
            return {name: held.rescorer for name, held in self._held.items()}

    def load(self, name: str) -> Future[None]:
        """Begin to load one of `names` in a thread of its own, or join those who wait for it already."""
        with self._lock:
            if name not in self._loading:
                self._loading[name] = future = Future[None]()
                future.set_running_or_notify_cancel()  # whoever stops waiting does not stop the others
                threading.Thread(target=self._load, args=(name,), name="prorank-load", daemon=True).start()
            return self._loading[name]

    def take(self, name: str) -> Held | None:
        """Return a model for a request, which has to give it back; None where it is not loaded."""
        with self._lock:
            held = self._held.get(name)
            return None if held is None else self.share(held)

    def share(self, held: Held) -> Held:
        """Count one more user of a model that somebody has."""
        with self._lock:
            held.users += 1
            held.used = time.monotonic()
            return held

    def give_back(self, held: Held) -> None:
        """Count one user less."""
        with self._lock:
            held.users -= 1
            if held.retired and not held.users:
                _close(held)

    def refresh(self) -> None:
        """Load anew what changed where it lies; requests that are being answered finish on what they have.

        A change counts when it was seen twice alike, so that nothing is read while it is being written.
        """
        with self._lock:
            marks = {name: held.mark for name, held in self._held.items()}
        for name, before in marks.items():
            try:
                mark = self._sources[name].mark()
            except (ProRankError, OSError):
                continue  # it is being replaced
            changed = mark != before
            if changed and self._seen.get(name) == mark:
                self.load(name)
            self._seen[name] = mark

    def close(self) -> None:
        """Let all models go."""
        with self._lock:
            for name in list(self._held):
                self._retire(name)

    def _load(self, name: str) -> None:
        began, failure = time.monotonic(), None
        try:
            with self._one_at_a_time:
                model = self._put(name, self._sources[name])
            _LOG.info("model %s is ready after %.1f s", model, time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001 (a thread's error is its starter's to raise)
            failure = error
            self._failed(name, error)
        with self._lock:
            future = self._loading.pop(name)  # first: whoever asks once more is not given this answer
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)

    def _put(self, name: str, source: Source) -> str:
        """Load a model in the place of the one that is there, and return what it calls itself."""
        self._make_room(name, source)
        mark = _mark_of(source)
        rescorer = source.open()
        with self._lock:
            self._retire(name)
            self._held[name] = Held(rescorer, mark)
        gc.unfreeze()  # the previous model would never go where it holds itself
        gc.collect()
        gc.freeze()  # a model's objects are here to stay: no collection need walk through them
        return rescorer.info.model

    def _failed(self, name: str, error: BaseException) -> None:
        """Stay with the previous model until another one lies in its place."""
        with self._lock:
            held = self._held.get(name)
            if held is not None:
                held.mark = self._seen.get(name)
                model = held.rescorer.info.model
                _LOG.error("what replaces %s cannot be loaded, the previous one stays in use: %s", model, error)

    def _make_room(self, name: str, source: Source) -> None:
        with self._lock:
            others = {at: held for at, held in self._held.items() if at != name and not self._sources[at].stays}
            for at, held in sorted(others.items(), key=lambda pair: pair[1].used):
                if self._taken_mb(name) + source.size_mb <= self._room_mb:
                    return
                if not held.users:
                    self._retire(at)
            if not source.stays and self._taken_mb(name) + source.size_mb > self._room_mb:
                raise NotReadyError(f"there is no room for the model {name!r} while others are in use: try again")

    def _taken_mb(self, besides: str) -> int:
        return sum(self._sources[at].size_mb for at in self._held if at != besides and not self._sources[at].stays)

    def _retire(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is not None:
            held.retired = True
            if not held.users:
                _close(held)


def _close(held: Held) -> None:
    if isinstance(held.rescorer, Closing):
        held.rescorer.close()


def _mark_of(source: Source) -> object:
    try:
        return source.mark()
    except (ProRankError, OSError):
        return None
