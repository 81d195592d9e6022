"""The second stages that are in memory: loaded by whoever asks first, the last few of them kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock

from prorank_search.protocols import Rescorer

_KEPT = 3
"""Both sides of a comparison, and the model before: each may take gigabytes."""


class LoadedModels:
    """Second stages by what they were loaded with. Safe from many threads.

    Only who asks for the same one waits for its loading. One that makes room is gone once its last search has ended.
    """

    def __init__(self) -> None:
        self._loaded: OrderedDict[Hashable, Future[Rescorer]] = OrderedDict()
        self._deciding = Lock()

    def get(self, key: Hashable, load: Callable[[], Rescorer]) -> Rescorer:
        """Return a second stage, loaded now where it is not there; one that cannot be loaded is tried anew next time.

        Args:
            key: What it is loaded with.
            load: Loads it; what it raises, everybody who waits for it gets.
        """
        with self._deciding:
            known = self._loaded.get(key)
            loading = self._loaded[key] = known or Future()
            self._loaded.move_to_end(key)
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
        if known is None:
            try:
                loading.set_result(load())
            except BaseException as error:
                with self._deciding:
                    if self._loaded.get(key) is loading:
                        del self._loaded[key]
                loading.set_exception(error)
                raise
        return loading.result()
