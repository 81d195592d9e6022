from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from prorank_search.storage.file_lock import hold


def test_what_is_held_is_refused_or_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    first = hold(path)
    with pytest.raises(BlockingIOError):
        hold(path, wait_s=0)
    threading.Timer(0.2, first.close).start()
    began = time.monotonic()
    with hold(path, wait_s=60):
        assert time.monotonic() - began < 50
    with hold(path, wait_s=0):
        pass


def test_what_stands_in_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("17")
    with hold(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == "17"


def test_a_file_that_cannot_be_made_is_the_systems_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        hold(tmp_path / "file" / "lock")
