"""The embedded indexes behind a little server that hands every request on, as the gateway does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.serving.embedded_upstream import EmbeddedUpstream
from prorank_search.serving.upstream import EngineRequest
from prorank_search.settings import Settings
from prorank_search.types import Document

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


def make_index(
    home: Path, name: str, documents: list[Document], *, analysis: str = "english", passages: bool = False
) -> None:
    metadata = {"passages": {"size": 1}} if passages else None
    backend = TantivyBackend(home / "indexes")
    with backend.writer(name, analysis=analysis, replace=True, metadata=metadata) as writer:
        writer.add(documents)
        writer.publish()


def forwarding_to(upstream: EmbeddedUpstream) -> FastAPI:
    app = FastAPI()

    async def forward(request: Request) -> Response:
        path: str = request.scope["path"]
        sent = EngineRequest(request.method, path, request.url.query, dict(request.headers), await request.body())
        answer = await upstream.send(sent)
        return Response(answer.body, answer.status, dict(answer.headers))

    app.add_api_route("/{path:path}", forward, methods=METHODS)
    return app


@contextmanager
def serving_embedded(home: Path) -> Iterator[str]:
    config = uvicorn.Config(forwarding_to(EmbeddedUpstream(Settings(home=home))), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
