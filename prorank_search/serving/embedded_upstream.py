"""The embedded indexes behind the gateway: they answer as an OpenSearch that can only be read."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from prorank_search.backends.tantivy import open_backend
from prorank_search.errors import UnreachableError
from prorank_search.serving.embedded.routes import answer
from prorank_search.serving.upstream import EngineAnswer, EngineRequest
from prorank_search.settings import Settings

THREADS = 4


class EmbeddedUpstream:
    """The indexes under `settings.home`; see `prorank_search.serving.upstream.Upstream`.

    Searches run in threads of its own, so that the event loop never waits for one.
    """

    def __init__(self, settings: Settings) -> None:
        """Use the embedded indexes of these settings, which need not exist yet."""
        self._backend = open_backend(settings)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="embedded")

    async def send(self, request: EngineRequest, timeout_s: float | None = None) -> EngineAnswer:
        """Return the answer that an OpenSearch would give, its faults included.

        Raises:
            UnreachableError: There was none within `timeout_s`.
        """
        loop = asyncio.get_running_loop()
        try:
            work = loop.run_in_executor(self._threads, answer, self._backend, request)
            return await asyncio.wait_for(work, timeout_s)
        except TimeoutError as error:
            message = f"the embedded index did not answer within {timeout_s:g} s"
            raise UnreachableError(message, timed_out=True) from error

    async def close(self) -> None:
        """Take no more requests; those that were begun are finished."""
        self._threads.shutdown(wait=False, cancel_futures=True)
