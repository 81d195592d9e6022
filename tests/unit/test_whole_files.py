"""Files to which whole lines are added, after a kill in the middle of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.storage.whole_files import drop_broken_line, whole_lines


@pytest.mark.parametrize("broken", ["", "tail", "ta\u00e9".encode()[:-1].decode("utf-8", "surrogateescape")])
def test_what_stands_behind_the_last_line_is_left_out_and_cut_off(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "lines.jsonl"
    whole = "first\nsecond with \u2028 and \x85 inside\n".encode()
    file.write_bytes(whole + broken.encode("utf-8", "surrogateescape"))
    assert whole_lines(file) == ["first", "second with \u2028 and \x85 inside"]
    drop_broken_line(file)
    assert file.read_bytes() == whole


def test_a_file_of_one_broken_line_is_empty_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(b"tail")
    drop_broken_line(file)
    assert (whole_lines(file), file.read_bytes()) == ([], b"")


def test_no_file_has_no_lines_and_none_is_made(tmp_path: Path) -> None:
    drop_broken_line(tmp_path / "none.jsonl")
    assert whole_lines(tmp_path / "none.jsonl") == []
    assert list(tmp_path.iterdir()) == []
