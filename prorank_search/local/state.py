"""The server that was started last, in a small file, and its process if that lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search.storage.whole_files import write_whole

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Started:
    """A server that was started.

    Attributes:
        pid: Its process; None: it was stopped by `down`.
        port: Where it answers.
        version: Which OpenSearch.
        with_ml: With the plugins.
        folder: Its data, log and configuration; stands in its command line.
    """

    pid: int | None
    port: int
    version: str
    with_ml: bool
    folder: str


def read(path: Path) -> Started | None:
    """Return the server that was started last; None: none ever was."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Started(**{field.name: known[field.name] for field in fields(Started)})


def write(path: Path, started: Started) -> None:
    """Keep what was started, in one step: a reader never sees half of it."""
    write_whole(path, json.dumps(asdict(started)))


def living_process(started: Started) -> psutil.Process | None:
    """Return the server's process, or None where it is no more, whoever has its pid by now.

    It is known by its command line: when a process began is told by a clock that may be set meanwhile.
    """
    import psutil

    if started.pid is None:
        return None
    try:
        process = psutil.Process(started.pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        own = any(started.folder in argument for argument in process.cmdline())
    except psutil.NoSuchProcess:
        return None
    return process if own and not ended else None
