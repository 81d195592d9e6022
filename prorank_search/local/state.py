"""The server that was started last, in a small file, and its process if that lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search.plugins import missing_extra
from prorank_search.whole_files import write_whole

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Started:
    """A server that was started.

    Attributes:
        pid: Its process; None: it was stopped by `down`.
        moment: When the process began, as the system says it: a pid alone can be another process's by now.
        port: Where it answers.
        version: Which OpenSearch.
        with_ml: With the plugins.
        folder: Its data, log and configuration.
    """

    pid: int | None
    moment: float
    port: int
    version: str
    with_ml: bool
    folder: str


def read(path: Path) -> Started | None:
    """Return the server that was started last; None: none ever was."""
    try:
        return Started(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def write(path: Path, started: Started) -> None:
    """Keep what was started, in one step: a reader never sees half of it."""
    write_whole(path, json.dumps(asdict(started)))


def moment_of(pid: int) -> float:
    """Return when a process began."""
    return _psutil_process(pid).create_time()


def living_process(started: Started) -> psutil.Process | None:
    """Return the server's process, or None where it is no more."""
    import psutil

    if started.pid is None:
        return None
    try:
        process = _psutil_process(started.pid)
        ended = process.status() == psutil.STATUS_ZOMBIE or process.create_time() != started.moment
    except psutil.NoSuchProcess:
        return None
    return None if ended else process


def _psutil_process(pid: int) -> psutil.Process:
    try:
        import psutil
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank engine") from error
    return psutil.Process(pid)
