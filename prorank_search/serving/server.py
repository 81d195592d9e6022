"""Runs the service: where it listens, how it stops, and what becomes of a model that cannot be loaded."""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from prorank_search.errors import ConfigError
from prorank_search.listening import listen
from prorank_search.protocols import Rescorer
from prorank_search.search import load_rescorer
from prorank_search.serving import tls
from prorank_search.serving.access import check_reach
from prorank_search.serving.app import create_app
from prorank_search.serving.connection import connections
from prorank_search.serving.keys import KeyRing
from prorank_search.serving.model_sources import other_sources
from prorank_search.serving.service import Service
from prorank_search.settings import Settings

_DRAIN_S = 60
"""Seconds that requests which are being answered have left after SIGTERM."""

_BACKLOG = 2048

_LOG = logging.getLogger(__name__)


def serve(settings: Settings, open_rescorer: Callable[[], Rescorer], started: Callable[[str], object]) -> None:
    """Answer until SIGTERM or Ctrl-C; then take nothing more, and finish what is there.

    Args:
        settings: Address, deadline and limits.
        open_rescorer: Loads the model, while `/health` answers already.
        started: Told the address once it is listened at.

    Raises:
        ConfigError: The address cannot be listened at, or is open to other machines without key or encryption; the
            certificate cannot be used; or the model cannot be loaded.
    """
    check_reach(settings, KeyRing(settings.home))
    context = tls.context_of(settings.tls_cert, settings.tls_key)
    service = Service(settings, open_rescorer, other_sources(settings, lambda own: load_rescorer(settings=own)))
    with _listening(settings.host, settings.port) as listener, _exit_code_0_after_sigterm():
        server = _Server(service, context)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        _again_on_sighup(settings, context)
        started(f"{'http' if context is None else 'https'}://{host}:{listener.getsockname()[1]}")
        service.start(server.stop)  # now: a model that is there at once is not told of before the address
        try:
            server.run(sockets=[listener])
        finally:
            service.close()
    if service.failure is not None:
        raise service.failure


class _Server(uvicorn.Server):
    """uvicorn, which says that it is stopping as soon as it is told to."""

    def __init__(self, service: Service, context: ssl.SSLContext | None) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(service),
                http=connections(service.settings),
                ws="none",  # keys are asked for with HTTP requests alone
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_DRAIN_S,
            )
        )
        self._service = service
        self.config.load()
        self.config.ssl = context

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, because of a signal."""
        self._service.drain()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop, because there is nothing to serve."""
        self.should_exit = True


def _listening(host: str, port: int) -> socket.socket:
    listener = listen(host, port, _BACKLOG)
    # Without it an answer's body waits 40 ms for the client to confirm its header; asyncio does not set it on a socket
    # that it did not make itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _again_on_sighup(settings: Settings, context: ssl.SSLContext | None) -> None:
    """Read the certificate again on SIGHUP; one that cannot be used leaves the old one in force."""
    cert, key = settings.tls_cert, settings.tls_key
    if context is None or cert is None or key is None or threading.current_thread() is not threading.main_thread():
        return

    def again(sig: int, frame: FrameType | None) -> None:
        del sig, frame
        try:
            tls.load(context, cert, key)
        except ConfigError as error:
            _LOG.error("%s; the previous certificate stays in use", error)
            return
        _LOG.info("the certificate was read again")

    signal.signal(signal.SIGHUP, again)


@contextmanager
def _exit_code_0_after_sigterm() -> Iterator[None]:
    """Let SIGTERM be no failure: uvicorn raises it once more when all is done, for the handler that it found."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(sig: int, frame: FrameType | None) -> None:
    del sig, frame
    raise SystemExit(0)
