"""Logs of the service, as lines of text or of JSON; never a query's or document's text in them.

What we log ourselves holds none. What others say may: an exception's message and the records of other packages are left
out, only their kind and place stand there.
"""

from __future__ import annotations

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from prorank_search.errors import ConfigError, ProRankError, RescorerError

REQUEST_ID: ContextVar[str | None] = ContextVar("REQUEST_ID", default=None)
"""Of the request that is being answered."""

_SAID_IN_FULL = ("prorank_search", "uvicorn")
_NOT_SHOWN = "(not shown: another package's words may hold texts)"

_LOG = logging.getLogger(__name__)


def configure(form: Literal["text", "json"]) -> None:
    """Let the whole process log to stderr: we from INFO on, others from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in _SAID_IN_FULL:
        logging.getLogger(name).setLevel(logging.INFO)


def log_error(error: Exception) -> None:
    """Log what went wrong in a request and its caller is not told.

    Of an error that nobody expected only where, since its words may hold a text.
    """
    if isinstance(error, RescorerError):
        _LOG.error("the model failed: %s", error)
    elif isinstance(error, ConfigError):
        _LOG.error("%s", error)
    elif not isinstance(error, ProRankError):
        fields = {"where": _where(error.__traceback__)}
        _LOG.error("internal error: %s", type(error).__name__, extra={"fields": fields})


class TextLines(logging.Formatter):
    """Time, level, logger, message, then `key=value`; places of a traceback on lines of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        known = said_of(record)
        where = known.pop("where", "")
        head = " ".join(str(known.pop(key)) for key in ("time", "level", "logger", "message"))
        tail = "".join(f" {key}={value}" for key, value in known.items())
        return f"{head}{tail}\n{where}".rstrip()


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        return json.dumps(said_of(record), ensure_ascii=False)


def said_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what is said of a record, the same in both forms.

    `fields` of the record stand beside its message: `log.info("answered", extra={"fields": {"status": 200}})`.
    """
    ours = record.name.partition(".")[0] in _SAID_IN_FULL
    said: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage().strip() if ours else _NOT_SHOWN,
    }
    if REQUEST_ID.get() is not None:
        said["request_id"] = REQUEST_ID.get()
    said |= record.__dict__.get("fields", {})
    if record.exc_info and record.exc_info[0] is not None:
        said |= {"error": record.exc_info[0].__name__, "where": _where(record.exc_info[2])}
    return said


def _where(places: TracebackType | None) -> str:
    return "".join(traceback.format_tb(places)).rstrip()
