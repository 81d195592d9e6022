from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_ui.judge.small_uploads import read, uploaded_queries


@dataclass
class File:
    name: str
    content: str

    def getvalue(self) -> bytes:
        return self.content.encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.txt", "\ufeffquick fox\n\nwise owl\nquick fox\n"),
        ("q.txt", "1\tquick fox\n2\twise owl\n"),
        ("q.csv", "query_id,query\n1,quick fox\n2,wise owl\n"),
        ("q.jsonl", '{"_id": "1", "text": "quick fox"}\n{"_id": "2", "text": "wise owl"}\n'),
    ],
)
def test_queries_come_from_text_csv_and_jsonl(name: str, content: str) -> None:
    assert [query.text for query in read(File(name, content), uploaded_queries).values()] == ["quick fox", "wise owl"]


def test_a_complaint_names_the_file_as_it_was_uploaded_and_no_folder_of_this_machine() -> None:
    with pytest.raises(InputError, match=r"^q.csv:2: 3 columns") as caught:
        read(File("../../etc/q.csv", "1,fox\n1,2,3\n"), uploaded_queries)
    assert "/" not in str(caught.value)


def test_an_upload_is_read_inside_a_folder_of_its_own_whatever_it_is_called() -> None:
    def where(path: Path) -> Path:
        return path

    path = read(File("..\\..\\a b\x00<.txt", ""), where)
    assert path.name == "_a_b__.txt"
    assert not path.exists()
