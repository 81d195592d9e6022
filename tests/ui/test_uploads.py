"""Uploads on disk: what a browser sends lands in a folder of ours, whatever its name says."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from prorank_search.errors import InputError, TooLargeError
from prorank_ui.documents import uploads


class File(BytesIO):
    def __init__(self, name: str, content: bytes = b"x") -> None:
        super().__init__(content)
        self.name = name


def test_a_data_file_is_its_own_source(tmp_path: Path) -> None:
    upload = uploads.keep([File("Animals.CSV", b"id,text\n1,dog\n")], tmp_path)
    assert upload.source.name == "Animals.csv"
    assert upload.source.read_bytes() == b"id,text\n1,dog\n"
    assert upload.source.resolve().is_relative_to(tmp_path / "uploads")
    assert uploads.find(tmp_path, upload.upload_id) == upload
    assert uploads.kept(tmp_path) == [upload]


def test_texts_are_a_folder_and_equal_names_are_told_apart(tmp_path: Path) -> None:
    upload = uploads.keep([File("a.md"), File("A.md", b"yy"), File("b.pdf")], tmp_path)
    assert upload.source.is_dir()
    assert upload.names == ("A-2.md", "a.md", "b.pdf")
    assert upload.size_bytes == 4


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "..\\..\\win.txt", "/abs/olute.txt", "a\0b.txt", ".txt.txt", "x" * 5000 + ".txt"]
)
def test_no_name_leaves_the_uploads(tmp_path: Path, name: str) -> None:
    uploads.keep([File(name)], tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].resolve().parent.parent == tmp_path / "uploads"
    assert not files[0].name.startswith(".")


@pytest.mark.parametrize("name", ["", "..", "a.exe", ".txt", "txt", "a.txt/..", "\ud800.txt"])
def test_what_cannot_be_read_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        uploads.keep([File(name)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_data_file_comes_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="alone"):
        uploads.keep([File("a.csv"), File("b.txt")], tmp_path)


def test_the_bound_counts_what_arrives_and_nothing_of_it_stays(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        uploads.keep([File("a.txt", b"x" * 6), File("b.txt", b"x" * 6)], tmp_path, most_bytes=10)
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("upload_id", ["", "..", "../uploads", "/etc", "20261124-183100-a1b2c3", "*"])
def test_an_id_that_is_no_upload_finds_and_deletes_nothing(tmp_path: Path, upload_id: str) -> None:
    kept = uploads.keep([File("a.txt")], tmp_path)
    with pytest.raises(InputError, match="no upload"):
        uploads.find(tmp_path, upload_id)
    uploads.delete(tmp_path, [upload_id])
    assert uploads.kept(tmp_path) == [kept]
    uploads.delete(tmp_path, [kept.upload_id])
    assert uploads.kept(tmp_path) == []
