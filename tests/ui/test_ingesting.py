"""An ingest as a form describes it, and what its output says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import InputError
from prorank_ui.documents import index_care, ingest_output, ingest_preview, ingesting
from prorank_ui.documents.ingesting import IngestWish

PRETTY = json.dumps(
    {
        "index": "a",
        "documents": 3,
        "duplicates": 2,
        "bad_records": 1,
        "dead_letters": "/x",
        "seconds": 0.1,
        "docs_per_s": 30.0,
    },
    indent=2,
)


@pytest.fixture
def wish(home: Path) -> IngestWish:
    source = home / "animals.csv"
    source.write_text("id,text\n1,The dogs are barking at the cat.\n2,<script>fox</script>\n3\n", encoding="utf-8")
    return IngestWish("", source, "zoo")


@pytest.mark.parametrize("name", ["", "x" * 201, "a\0b", "a\nb"])
def test_a_name_that_no_command_can_take_is_refused(wish: IngestWish, name: str) -> None:
    with pytest.raises(InputError):
        ingesting.arguments(replace(wish, index=name))
    with pytest.raises(InputError):
        ingesting.arguments(replace(wish, title_column=name or "\0"))


def test_a_look_shows_documents_terms_and_bad_records_and_writes_nothing(wish: IngestWish, home: Path) -> None:
    seen = ingesting.dry_run(wish)
    assert "Of the first 3 records 1 cannot be used" in ingest_preview.headline(seen)
    assert "&lt;script&gt;fox" in ingest_preview.documents(seen)
    assert ">dog<" in ingest_preview.analysed(seen)
    assert "columns: 2 in the header, 1 in the row" in ingest_preview.bad_records(seen["sample"]["bad_records"])
    assert ingest_preview.passages(seen) == ingest_preview.mapping(seen) == ""
    assert TantivyBackend(home / "indexes").indexes() == []


def test_a_look_at_what_cannot_be_read_gives_the_reason_of_the_command(wish: IngestWish) -> None:
    with pytest.raises(InputError, match="no column"):
        ingesting.dry_run(replace(wish, text_column="gone", title_column="gone"))


def test_progress_is_the_last_whole_line_of_it() -> None:
    line = '{"documents": %d, "docs_per_s": 2.0, "bad_records": 0, "share_read": 0.5}'
    told = ingest_output.progress("\n".join([line % 1, "a warning", line % 2, '{"documents": 3, "docs']))
    assert told is not None
    assert told.documents == 2
    assert ingest_output.progress("nothing yet") is None


def test_a_report_is_found_behind_progress_and_missing_where_it_is_cut_off() -> None:
    report = ingest_output.report(f'{{"documents": 1}}\n{PRETTY}\n')
    assert report is not None
    assert (report.documents, report.duplicates, report.dead_letters) == (3, 2, Path("/x"))
    assert ingest_output.report(PRETTY[:-3]) is None
    assert ingest_output.report("error: no") is None


def test_dead_letters_are_shown_from_their_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "dead-letters"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"line": 2, "reason": "no id"}\n{"line": 3, "rea', encoding="utf-8")
    (folder / "link.jsonl").symlink_to("/etc/passwd")
    assert ingest_output.dead_letters(folder / "a.jsonl", tmp_path) == [{"line": 2, "reason": "no id"}]
    for outside in (Path("/etc/passwd"), folder / "link.jsonl", folder / ".." / "secret"):
        with pytest.raises(InputError, match="does not lie in"):
            ingest_output.dead_letters(outside, tmp_path)


def test_an_index_is_deleted_only_under_its_own_name(home: Path, animals: str) -> None:
    backend = TantivyBackend(home / "indexes")
    for typed in ("", "Animals", "animal"):
        with pytest.raises(InputError, match="type its name"):
            index_care.delete(backend, animals, typed)
    assert [index.name for index in backend.indexes()] == [animals]
    index_care.delete(backend, animals, animals)
    assert backend.indexes() == []
