"""A search that goes on while the page is drawn: started, asked for, cancelled when nobody wants it any longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait

from prorank_search.errors import RescorerError
from prorank_search.types import SearchResult


class RunningSearch:
    """A search in a thread.

    Args:
        threads: Where it runs.
        search: The search; it is given a function that says True once nobody waits any longer.
    """

    def __init__(self, threads: ThreadPoolExecutor, search: Callable[[Callable[[], bool]], SearchResult]) -> None:
        self._unwanted = threading.Event()
        self._started = time.monotonic()
        self._future: Future[SearchResult] = threads.submit(search, self._unwanted.is_set)

    def result(self, timeout_s: float) -> SearchResult | None:
        """Return the result, or None where it is not there within this time.

        Raises:
            ProRankError: The search failed.
        """
        done, _ = wait([self._future], timeout_s)
        try:
            return self._future.result() if done else None
        except CancelledError as error:
            raise RescorerError("the search was given up before it began: nobody waited for it; ask again") from error

    def age_s(self) -> float:
        """Return how many seconds ago it was started."""
        return time.monotonic() - self._started

    def cancel(self) -> None:
        """Let it end as soon as it looks."""
        self._unwanted.set()
        self._future.cancel()
