"""The embedded indexes behind the gateway: they answer as an OpenSearch that can only be read."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from prorank_search.backends.tantivy import open_backend
from prorank_search.serving.embedded.routes import answer_request
from prorank_search.serving.upstream import EngineAnswer, EngineRequest
from prorank_search.serving.zipped import unzipped
from prorank_search.settings import Settings

THREADS = 4


class EmbeddedUpstream:
    """The indexes under `settings.home`; see `prorank_search.serving.upstream.Upstream`.

    Searches run in threads of its own, so that the event loop never waits for one.
    """

    def __init__(self, settings: Settings) -> None:
        """Use the embedded indexes of these settings, which need not exist yet."""
        self._backend = open_backend(settings)
        self._most_bytes = settings.max_body_mb << 20
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="embedded")

    async def send(self, request: EngineRequest) -> EngineAnswer:
        """Return the answer that an OpenSearch would give, its faults included.

        Raises:
            TooLargeError: The body is larger than `max_body_mb` when it is unpacked.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, request)

    def _answer(self, request: EngineRequest) -> EngineAnswer:
        if request.headers.get("content-encoding") == "gzip":
            with contextlib.suppress(zlib.error):  # what is answered says that the body is not JSON
                request = replace(request, body=unzipped(request.body, self._most_bytes))
        return answer_request(self._backend, request)

    async def close(self) -> None:
        """Take no more requests; those that were begun are finished."""
        self._threads.shutdown(wait=False, cancel_futures=True)
