"""A file that one process at a time holds. A process that is killed lets go of it."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

_PAUSE_S = 0.01


def hold(path: Path, wait_s: float | None = None) -> IO[str]:
    """Lock a file: held until what is returned is closed or the process ends, however it ends.

    Args:
        path: The file; it and its folder are made where they are missing, and what stands in it stays.
        wait_s: Seconds that another holder is waited for; None: until it lets go.

    Raises:
        BlockingIOError: Another process, or another part of this one, still holds it.
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8")
    try:
        _lock(file, wait_s)
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: IO[str], wait_s: float | None) -> None:
    if wait_s is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    give_up = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
