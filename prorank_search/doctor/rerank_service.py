"""What a rerank service answers, and whether ml-commons can read it."""

from __future__ import annotations

import http.client
import json
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from prorank_search.doctor.check import Finding, Installation
from prorank_search.doctor.ml_commons import complaints, risks
from prorank_search.errors import UnreachableError

_QUERY = "how fast is a fox"
_TEXTS = (
    "A red fox runs up to 50 kilometres an hour.",
    "Foxes are fast.",
    "Hens lay eggs.",
    "Hens lay eggs.",
    "狐狸跑得很快。",
    "The train leaves at nine.",
    "fox",
    "how fast is a fox",
    'He said "run" and \\ ran, {so} [they] say.',
    "Nothing about animals stands here, and nothing about speed, but it is a longer text than the others.",
    "A hare is as fast as a fox, and turns faster.",
    "1",
)
_TIMEOUT_S = 30.0
_OK, _REFUSED, _MOST_SHOWN = 200, (401, 403), 3


class Answer(NamedTuple):
    """What came back: status, body, and the seconds it took."""

    status: int
    body: str
    seconds: float


def service(installation: Installation) -> Finding:
    """Ask the rerank service once, in Cohere's shape."""
    try:
        answer = _ask(installation)
    except UnreachableError:
        if installation.named:
            raise
        return Finding("skipped", f"{installation.rerank_url}: nobody answers", "prorank serve, or name an address")
    if answer.status in _REFUSED:
        return Finding("fail", f"{installation.rerank_url} answers {answer.status}", "set PRORANK_REMOTE_API_KEY")
    if answer.status != _OK:
        return Finding(
            "fail",
            f"{installation.rerank_url} answers {answer.status}: {answer.body[:200]}",
            "name the path of a rerank API in Cohere's shape, such as http://HOST:PORT/v2/rerank",
        )
    seen = f"{installation.rerank_url} scores {len(_TEXTS)} short texts in {answer.seconds:.2f} s"
    block = _ours(answer.body)
    if block and block.get("status") != "ok":
        return Finding("warn", f"{seen}, status {block.get('status')}: {block.get('reason')}", "raise its timeout_s")
    return Finding("ok", seen)


def for_ml_commons(installation: Installation) -> Finding:
    """Predict whether ml-commons will take this service's answers: number formats, order and count."""
    answer = _ask(installation)
    wrong = complaints(answer.body, len(_TEXTS))
    if wrong:
        more = f", and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        return Finding(
            "fail",
            f"searches through an OpenSearch rerank pipeline will fail: {'; '.join(wrong[:_MOST_SHOWN])}{more}",
            "put prorank serve in its place, or before it: --rescorer remote",
        )
    possible = risks(answer.body)
    if possible:
        return Finding("warn", f"this answer is taken, others will not be: {possible[0]}", "--rescorer remote mends it")
    return Finding("ok", f"all {len(_TEXTS)} results would be taken by an OpenSearch rerank pipeline")


def _ask(installation: Installation) -> Answer:
    """Send one request.

    Raises:
        UnreachableError: No answer came.
    """
    where = urlsplit(installation.rerank_url)
    connect = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = connect(where.hostname or "", where.port, timeout=_TIMEOUT_S)
    headers = {"content-type": "application/json"}
    if installation.settings.remote_api_key is not None:
        headers["authorization"] = f"Bearer {installation.settings.remote_api_key.get_secret_value()}"
    body = json.dumps({"query": _QUERY, "documents": _TEXTS, "top_n": len(_TEXTS)})
    began = time.monotonic()
    try:
        connection.request("POST", where.path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode("utf-8", "replace"), time.monotonic() - began)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"nobody answers at {installation.rerank_url}: {error}") from error
    finally:
        connection.close()


def _ours(body: str) -> dict[str, object]:
    """Return what our own service says beside the shape; nothing for other services."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    block = answer.get("prorank") if isinstance(answer, dict) else None
    return block if isinstance(block, dict) else {}
