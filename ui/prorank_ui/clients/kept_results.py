"""Searches that were done before: their answers are there at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from prorank_search.types import SearchResult
from prorank_ui.running_search import RunningSearch

_KEPT = 500
_THREADS = 8


class KeptResults:
    """Searches in threads of their own, the last answers of which are kept. Safe from many threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prorank-ui")
        self._results: OrderedDict[tuple[object, ...], SearchResult] = OrderedDict()
        self._keeping = Lock()

    def start(self, key: tuple[object, ...], search: Callable[[Callable[[], bool]], SearchResult]) -> RunningSearch:
        """Start a search, unless its answer is kept.

        An answer whose second stage failed or ran out of time is not kept: the next time it is tried again.

        Args:
            key: What the answer depends on.
            search: Searches; it is given a function that says True once nobody waits any longer.
        """

        def answer(cancelled: Callable[[], bool]) -> SearchResult:
            with self._keeping:
                known = self._results.get(key)
            if known is not None:
                return known
            result = search(cancelled)
            if result.status.state not in {"partial", "degraded"}:
                with self._keeping:
                    self._results[key] = result
                    while len(self._results) > _KEPT:
                        self._results.popitem(last=False)
            return result

        return RunningSearch(self._threads, answer)
