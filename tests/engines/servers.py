"""Real servers for the tests: what a test is given, and what happens where one cannot be had."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("PRORANK_REQUIRE_ENGINES") == "1"
"""Whether a missing server is a failure; read before the tests' own environment is cleared."""
QUICK_START = ("-XX:TieredStopAtLevel=1",)
"""Half the processor time of a start: a server of the tests is gone before Java's better compiler would pay."""
UP_TIMEOUT_S = 600.0
"""A start takes some seconds, and minutes on a machine that has more to do than it can."""


@dataclass(frozen=True)
class Server:
    """A server that a test may use; other tests use it too, so an index gets a name of the test's own.

    Attributes:
        url: Where it answers.
        version: What `GET /` says.
        pid: Its process.
        log: The file with what it says.
        data: Where its indexes lie.
    """

    url: str
    version: str
    pid: int
    log: Path
    data: Path


def missing(reason: str) -> NoReturn:
    """Skip, or fail where the servers are required."""
    if REQUIRED:
        pytest.fail(f"PRORANK_REQUIRE_ENGINES is set, but {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that another user can enter: a server that root starts is not root's."""
    with tempfile.TemporaryDirectory(prefix="prorank-engine-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
