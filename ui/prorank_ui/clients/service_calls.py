"""HTTP calls to a `prorank serve`: what goes wrong is told in words that say what to do.

The connection of a call that nobody waits for any longer is closed, so that the service stops working on it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import wait

import httpx

from prorank_search.errors import (
    AuthError,
    BackendError,
    ConfigError,
    InputError,
    NotReadyError,
    OverloadedError,
    ProRankError,
    RescorerError,
    TooLargeError,
    UnreachableError,
)
from prorank_search.outbound import check_url

_CONNECT_S = 5.0
_LOOK_S = 0.05
"""How often a call is asked whether anybody still waits for it."""

_LONGEST_QUOTE = 400
_NOT_FOUND, _TOO_MANY = 404, 429


class CancelledCallError(UnreachableError):
    """Nobody waited for the answer any longer."""


class ServiceCalls:
    """A pool of connections to one service. Safe from many threads.

    Args:
        url: Its address: settings alone name it.
        api_key: Sent as a bearer token; None: none is.
        timeout_s: Seconds to wait for an answer.

    Raises:
        ConfigError: It is no address, or one that must not be asked.
    """

    def __init__(self, url: str, api_key: str | None, timeout_s: float) -> None:
        check_url(url, "api_url")
        if "?" in url or "#" in url:
            raise ConfigError("api_url is the address of `prorank serve` alone: scheme, host, port and path")
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self._has_key = api_key is not None
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.AsyncClient(headers=headers)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="prorank-service", daemon=True).start()

    def get(self, path: str) -> object:
        """Return the JSON that lies at a path."""
        return self._json(self._send("GET", path, None, self.timeout_s, _nobody_left), path)

    def text(self, path: str) -> str:
        """Return the text that lies at a path."""
        return self._send("GET", path, None, self.timeout_s, _nobody_left).text

    def post(
        self,
        path: str,
        body: Mapping[str, object],
        cancelled: Callable[[], bool] | None = None,
        timeout_s: float | None = None,
    ) -> object:
        """Send a body; return the JSON that comes back.

        Args:
            path: Where to.
            body: What.
            cancelled: True once nobody waits any longer.
            timeout_s: Seconds to wait; None: as for everything.

        Raises:
            CancelledCallError: Nobody waits any longer.
            UnreachableError: Nobody answers, or not in time.
            AuthError: The service asks for a key, refuses it, or refuses this machine.
            BackendError: The service's engine failed, or what answers is no service of this version.
            RescorerError: Its model failed, or has too much to do.
            InputError: It cannot answer this: an unknown index or model among it.
        """
        sent = self._send("POST", path, body, timeout_s or self.timeout_s, cancelled or _nobody_left)
        return self._json(sent, path)

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        timeout_s: float,
        cancelled: Callable[[], bool],
    ) -> httpx.Response:
        timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
        call = self._http.request(method, f"{self.url}{path}", json=body, timeout=timeout)
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            while not future.done():
                wait([future], timeout=_LOOK_S)
                if not future.done() and cancelled():
                    raise CancelledCallError("nobody waits for this answer any longer")
            response = future.result()
        except httpx.TimeoutException as error:
            raise self._late(error, timeout_s) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise UnreachableError(
                f"nobody answers at {self.url} ({type(error).__name__}): start `prorank serve` there, or mend "
                "PRORANK_API_URL"
            ) from error
        finally:
            future.cancel()
        if not response.is_success:
            raise self._failure(response, path)
        return response

    def _late(self, error: httpx.TimeoutException, timeout_s: float) -> UnreachableError:
        if isinstance(error, httpx.ConnectTimeout):
            advice = "it is switched off, or a firewall stands between: see whether PRORANK_API_URL is right"
            return UnreachableError(f"{self.url} cannot be connected to: {advice}", timed_out=True)
        return UnreachableError(
            f"{self.url} did not answer within {timeout_s:g} s: it has too much to do; try again, rescore fewer hits, "
            "or set PRORANK_API_TIMEOUT_S to more seconds",
            timed_out=True,
        )

    def _json(self, response: httpx.Response, path: str) -> object:
        try:
            answer: object = response.json()
        except ValueError as error:
            raise self.not_ours(path) from error
        return answer

    def not_ours(self, path: str) -> BackendError:
        """Return the error for an answer that is none of this version's."""
        return BackendError(
            f"what {self.url} answers at {path} is not what this page reads: PRORANK_API_URL has to lead to "
            "`prorank serve`, of the same version as this page"
        )

    def _failure(self, response: httpx.Response, path: str) -> ProRankError:
        status, said = response.status_code, _fault_in(response)
        at = f"the service at {self.url}"
        quote = "" if said is None else f": {said}"
        if status == httpx.codes.UNAUTHORIZED:
            return AuthError(f"{at} {_KEY_REFUSED if self._has_key else _KEY_WANTED}")
        if status == httpx.codes.FORBIDDEN:
            return AuthError(f"{at} does not let this machine in{quote}")
        if status in {_NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED} and (said is None or status != _NOT_FOUND):
            return BackendError(
                f"{at} has no {path}: it is an older `prorank serve`, which has to be updated, or something else, and "
                "PRORANK_API_URL is wrong"
            )
        if status == _TOO_MANY:
            told = response.headers.get("retry-after", "")
            after = float(told) if told.isdecimal() else 1.0
            return OverloadedError(f"{at} has too much to do: try again in {after:g} s", retry_after_s=after)
        kind, words = _KINDS.get(status, (RescorerError, "failed with status {status}{quote}"))
        return kind(f"{at} {words.format(status=status, quote=quote)}")


_KEY_WANTED = "asks for a key: make one there with `prorank keys create NAME`, and set PRORANK_API_KEY to it"
_KEY_REFUSED = (
    "refuses the key: it was revoked, has expired, or is another service's; make one there with "
    "`prorank keys create NAME`, and set PRORANK_API_KEY to it"
)
_KINDS: Mapping[int, tuple[type[ProRankError], str]] = {
    400: (InputError, "cannot answer this, or is of another version than this page{quote}"),
    404: (InputError, "does not have it{quote}"),
    413: (TooLargeError, "does not take so much at once{quote}"),
    500: (RescorerError, "failed{quote}"),
    502: (BackendError, "cannot ask its engine{quote}"),
    503: (NotReadyError, "is not ready{quote}; wait a moment, then try again"),
}


def _nobody_left() -> bool:
    return False


def _fault_in(response: httpx.Response) -> str | None:
    """Return what a fault of `prorank serve` says; None where it is none of its."""
    try:
        fault = response.json()
    except ValueError:
        return None
    error = fault.get("error") if isinstance(fault, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return " ".join(said[:_LONGEST_QUOTE].split()) if isinstance(said, str) else None
