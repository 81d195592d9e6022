"""`prorank doctor` in the background, as a process of its own: it loads the model, and may wait for an engine."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from prorank_search.doctor.installation import Checked
from prorank_search.errors import BackendError, ProRankError
from prorank_search.settings import Settings, load_settings
from prorank_ui import commands
from prorank_ui.status.service_metrics import requests_in

KEPT_S = 60.0
"""Seconds after which a checkup is done again when somebody looks."""
_TAKES_AT_MOST_S = 120
_ASKED_FOR_S = 2.0
_LONGEST_ANSWER = 100_000
_OK = 200


@dataclass(frozen=True, slots=True)
class Examined:
    """What a checkup found.

    Attributes:
        checks: What each check found.
        service: What `prorank serve` says of its model, its queue and its requests; empty where it does not run.
        at: When, ISO 8601 in UTC.
        seconds: How long it took.
    """

    checks: tuple[Checked, ...]
    service: Mapping[str, Any]
    at: str
    seconds: float


def examine() -> Examined:
    """Run `prorank doctor` to its end.

    Raises:
        ProRankError: The settings cannot be used, or it did not end in time.
    """
    began = time.monotonic()
    settings = load_settings()
    config = [f"--config={settings.config}"] if settings.config else []
    answer = commands.answer_of("doctor", "--json", *config, timeout_s=_TAKES_AT_MOST_S)
    try:
        checks = tuple(Checked(**check) for check in answer)
    except TypeError as error:
        raise BackendError(f"`prorank doctor` answered with no list of checks: {str(answer)[:200]}") from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Examined(checks, service_says(settings), now, time.monotonic() - began)


def service_says(settings: Settings) -> Mapping[str, Any]:
    """Return what the service of these settings says of itself, and of its requests; empty where none runs there."""
    try:
        answer = json.loads(_asked(settings, "/info"))
    except ValueError:
        return {}
    if not isinstance(answer, dict) or not isinstance(answer.get("prorank"), dict):
        return {}
    metrics = _asked(settings, "/metrics").decode("utf-8", "replace")
    return answer | {"requests": "; ".join(filter(None, requests_in(metrics))) if metrics else ""}


def _asked(settings: Settings, path: str) -> bytes:
    """Return what the service of these settings answers; nothing where it does not."""
    connection = _connection(settings)
    headers = {"authorization": f"Bearer {settings.api_key.get_secret_value()}"} if settings.api_key else {}
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.read(_LONGEST_ANSWER) if response.status == _OK else b""
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def _connection(settings: Settings) -> http.client.HTTPConnection:
    if settings.tls_cert is None:
        return http.client.HTTPConnection(settings.host, settings.port, timeout=_ASKED_FOR_S)
    own = ssl.create_default_context(cafile=settings.tls_cert)  # what it shows has to be what the settings name
    own.check_hostname = False
    own.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return http.client.HTTPSConnection(settings.host, settings.port, timeout=_ASKED_FOR_S, context=own)


class Checkup:
    """The last checkup of this process, and the one that is under way. Safe from many threads.

    Args:
        examine: Looks at everything.
    """

    def __init__(self, examine: Callable[[], Examined] = examine) -> None:
        self._examine = examine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prorank-checkup")
        self._under_way: Future[Examined] | None = None
        self._last: Examined | ProRankError | None = None
        self._ended = 0.0
        self._deciding = Lock()

    def begin(self, older_than_s: float = KEPT_S) -> None:
        """Start a checkup in the background, unless one is under way or the last one is younger."""
        with self._deciding:
            fresh = self._last is not None and time.monotonic() - self._ended < older_than_s
            if self._under_way is None and not fresh:
                self._under_way = self._thread.submit(self._examine)

    def under_way(self) -> bool:
        """Tell whether a checkup is under way."""
        with self._deciding:
            return self._settle() is not None

    def last(self) -> Examined | ProRankError | None:
        """Return the last checkup, or why there is none; None before the first one."""
        with self._deciding:
            self._settle()
            return self._last

    def _settle(self) -> Future[Examined] | None:
        if self._under_way is not None and self._under_way.done():
            try:
                self._last = self._under_way.result()
            except ProRankError as error:
                self._last = error
            finally:
                self._under_way = None
                self._ended = time.monotonic()
        return self._under_way
