"""A server on loopback that answers as it was told: for what a real engine does only on its bad days."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

OPENSEARCH = {"version": {"distribution": "opensearch", "number": "2.19.1"}}
ELASTICSEARCH = {"version": {"number": "8.19.3"}}


class Answer(NamedTuple):
    """One answer: its status and body; `after_s` seconds later; status 0 closes the connection without any."""

    status: int
    body: object = None
    after_s: float = 0.0


class Stub(NamedTuple):
    """A running stub.

    Attributes:
        url: Where it answers.
        seen: What came: "METHOD path", in order.
        headers: The last request's.
    """

    url: str
    seen: list[str]
    headers: dict[str, str]


@contextmanager
def answering(*answers: Answer, product: str = "", certificates: Path | None = None) -> Iterator[Stub]:
    """Run a server that gives these answers in turn, the last one for ever.

    Args:
        answers: The answers.
        product: Elasticsearch's header; empty: none.
        certificates: A folder with ca.pem and key.pem: it speaks https, and takes clients with that certificate alone.
    """
    stub, left = Stub("", [], {}), list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            stub.seen.append(f"{self.command} {self.path}")
            stub.headers.clear()
            stub.headers.update({name.lower(): value for name, value in self.headers.items()})
            answer = left.pop(0) if len(left) > 1 else left[0]
            time.sleep(answer.after_s)
            if not answer.status:
                self.close_connection = True
                return
            body = json.dumps(answer.body).encode() if not isinstance(answer.body, str) else answer.body.encode()
            self.send_response(answer.status)
            self.send_header("content-type", "text/html" if isinstance(answer.body, str) else "application/json")
            self.send_header("content-length", str(len(body)))
            if product:
                self.send_header("x-elastic-product", product)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 (http.server's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificates is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
        context.load_cert_chain(certificates / "ca.pem", certificates / "key.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        scheme = "http" if certificates is None else "https"
        yield stub._replace(url=f"{scheme}://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def failed(error_type: str, reason: str, **more: Sequence[str] | str) -> dict[str, object]:
    """Return an engine's body for an error."""
    cause = {"type": error_type, "reason": reason, **more}
    return {"error": {"root_cause": [cause], **cause}}
