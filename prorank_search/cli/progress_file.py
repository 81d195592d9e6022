"""How far long scoring is, in a file beside its results: for whoever did not start it, such as a page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from prorank_search.errors import InputError
from prorank_search.storage.whole_files import write_whole

FILE_NAME = "progress.json"
_EVERY_S = 0.5

Told = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


def also_in_file(folder: Path | None, show: Told) -> Told:
    """Return a function that shows progress, and keeps `progress.json` in a folder up to date, twice a second.

    Args:
        folder: The folder, made where there is none; None: no file is written.
        show: Shows it to whoever started the work.

    Raises:
        InputError: The folder cannot be made.
    """
    if folder is None:
        return show
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"no results can be written to {folder}: {error}") from error
    due = 0.0

    def tell(doing: str, done: int, total: int) -> None:
        nonlocal due
        show(doing, done, total)
        if time.monotonic() >= due or done == total:
            due = time.monotonic() + _EVERY_S
            write_whole(folder / FILE_NAME, json.dumps({"doing": doing, "done": done, "total": total}))

    return tell
