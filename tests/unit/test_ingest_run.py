from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from prorank_ingest import dead_letters, run
from prorank_ingest.selection import open_source
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.backends.tantivy.writer import TantivyWriter
from prorank_search.errors import ConfigError, InputError, UnknownPluginError
from prorank_search.protocols import BadRecord, ReaderOptions
from prorank_search.types import Document

ENGLISH = "The cat sat on the mat and it was happy to be there."
CODE = "def add(a, b):\n    return a + b\n"


@pytest.fixture
def backend(prorank_home: Path) -> TantivyBackend:
    return TantivyBackend(prorank_home / "indexes")


def write(path: Path, *records: Mapping[str, object] | str) -> Path:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def ingest(
    source: Path,
    backend: TantivyBackend,
    home: Path,
    *,
    analysis: str = "auto",
    replace: bool = False,
    limit: int = 100,
) -> run.Report:
    job = run.Job(str(source), "animals", home, analysis=analysis, replace=replace, limit=limit)
    return run.ingest(job, open_source(job.source, job.options), backend)


def texts(backend: TantivyBackend) -> dict[str, str]:
    return {document.doc_id: document.text for document in backend.scan("animals")}


def test_documents_are_added_and_replaced_by_their_id(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path
) -> None:
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": "x"}, {"id": "2", "text": "y"}), backend, prorank_home)
    ingest(write(tmp_path / "b.jsonl", {"id": "2", "text": "z"}, {"id": "3", "text": "w"}), backend, prorank_home)
    assert texts(backend) == {"1": "x", "2": "z", "3": "w"}


def test_a_replacement_holds_nothing_of_the_old_version(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path
) -> None:
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": ENGLISH}), backend, prorank_home)
    report = ingest(write(tmp_path / "b.jsonl", {"id": "2", "text": CODE}), backend, prorank_home, replace=True)
    assert texts(backend) == {"2": CODE}
    assert report.analysis == "code"
    backend.rollback("animals")
    assert texts(backend) == {"1": ENGLISH}


def test_of_equal_ids_the_last_one_counts_and_the_others_are_reported(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    records = [{"id": number % 3, "text": f"text {number}"} for number in range(7)]
    report = ingest(write(tmp_path / "a.jsonl", *records), backend, prorank_home)
    assert (report.documents, report.duplicates) == (3, 4)
    assert texts(backend) == {"0": "text 6", "1": "text 4", "2": "text 5"}


def test_equal_texts_under_several_ids_are_counted_and_go_in(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    pairs = [("1", "x"), ("2", "y"), ("3", "x"), ("1", "x"), ("4", "x"), ("2", "x")]
    records = [{"id": doc_id, "text": text} for doc_id, text in pairs]
    report = ingest(
        write(tmp_path / "a.jsonl", *records, {"id": "5", "title": "x", "text": "x"}), backend, prorank_home
    )
    assert (report.documents, report.duplicates, report.equal_texts) == (5, 2, 3)
    assert len(texts(backend)) == 5


def test_documents_that_are_there_are_left_as_they_are_where_that_was_asked_for(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": "old"}, {"id": "2", "text": "old"}), backend, prorank_home)
    pairs = [("1", "new"), ("3", "first"), ("2", "new"), ("3", "last"), ("1", "newer"), ("4", "new")]
    source = write(tmp_path / "b.jsonl", *({"id": doc_id, "text": text} for doc_id, text in pairs))
    job = run.Job(str(source), "animals", prorank_home, keep_existing=True)
    report = run.ingest(job, open_source(job.source, job.options), backend)
    assert (report.documents, report.kept, report.duplicates) == (2, 2, 2)
    assert texts(backend) == {"1": "old", "2": "old", "3": "last", "4": "new"}
    again = run.ingest(job, open_source(job.source, job.options), backend)
    assert (again.documents, again.kept, again.duplicates) == (0, 4, 2)


@pytest.mark.parametrize("step", ["committed", "saved"])
def test_a_killed_run_that_keeps_documents_does_not_take_its_own_for_them(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, monkeypatch: pytest.MonkeyPatch, step: run.Step
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": "old"}), backend, prorank_home)
    source = write(tmp_path / "b.jsonl", *({"id": str(number), "text": "new"} for number in range(1, 6)))
    job = run.Job(str(source), "animals", prorank_home, keep_existing=True)
    ends = iter([False, True])

    def give_up(taken: run.Step) -> None:
        if taken == step and next(ends):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.ingest(job, open_source(job.source, job.options), backend, on_step=give_up)
    report = run.ingest(job, open_source(job.source, job.options), backend)
    assert (report.documents, report.kept, report.duplicates, report.equal_texts) == (4, 1, 0, 4)
    assert texts(backend)["1"] == "old"


class LateCommits(TantivyBackend):
    """Commits when it is asked whether it has, as an engine may that is slow to answer; tells what happens when."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.steps: list[str] = []

    def writer(self, index: str, **how: Any) -> TantivyWriter:  # noqa: ANN401 (as the backend takes it)
        writer = super().writer(index, **how)
        backend = self

        class Late:
            def done(self) -> bool:
                return False

            def result(self) -> None:
                writer.commit()

        def add(documents: Iterable[Document]) -> int:
            backend.steps.append("sent")
            return TantivyWriter.add(writer, documents)

        writer.add = add  # type: ignore[method-assign]
        writer.begin_commit = Late  # type: ignore[assignment,method-assign]
        return writer


@pytest.mark.parametrize(("kept", "ahead"), [(False, 1), (True, 0)])
def test_one_batch_is_sent_while_the_commit_of_the_one_before_is_under_way(
    tmp_path: Path, prorank_home: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool, ahead: int
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    backend = LateCommits(prorank_home / "indexes")
    ingest(write(tmp_path / "a.jsonl", {"id": "0", "text": "old"}), backend, prorank_home)
    backend.steps.clear()
    source = write(tmp_path / "b.jsonl", *({"id": str(number), "text": "new"} for number in range(1, 8)))
    job = run.Job(str(source), "animals", prorank_home, keep_existing=kept)
    report = run.ingest(job, open_source(job.source, job.options), backend, on_step=backend.steps.append)
    assert (report.documents, len(texts(backend))) == (7, 8)
    sent, saved = 0, 0
    for step, following in pairwise(backend.steps):
        sent += step == "sent"
        saved += step == "saved"
        assert sent - saved <= ahead + 1
        assert (step == "committed") == (following == "saved")
    assert (sent, saved) == (4, 4)


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("step", ["committed", "saved"])
def test_a_run_that_ends_while_a_batch_is_under_way_goes_on_where_its_last_note_is(
    tmp_path: Path, prorank_home: Path, monkeypatch: pytest.MonkeyPatch, step: run.Step, nth: int
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 2)
    backend = LateCommits(prorank_home / "indexes")
    records = [{"id": str(number % 5), "text": f"text {number}"} for number in range(8)]
    job = run.Job(str(write(tmp_path / "a.jsonl", *records)), "animals", prorank_home)
    passed: list[str] = []

    def give_up(taken: run.Step) -> None:
        passed.append(taken)
        if passed.count(step) == nth:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.ingest(job, open_source(job.source, job.options), backend, on_step=give_up)
    report = run.ingest(job, open_source(job.source, job.options), backend)
    assert report.resumed_from == 2 * (nth if step == "saved" else nth - 1)
    assert (report.documents, report.duplicates) == (5, 3)
    assert texts(backend) == {"0": "text 5", "1": "text 6", "2": "text 7", "3": "text 3", "4": "text 4"}


def test_bad_records_become_dead_letters_and_the_rest_goes_in(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path
) -> None:
    source = write(tmp_path / "a.jsonl", {"id": "1", "text": "x"}, "nonsense", {"id": "2"}, {"id": "3", "text": "y"})
    report = ingest(source, backend, prorank_home)
    assert (report.documents, report.bad_records) == (2, 2)
    assert texts(backend) == {"1": "x", "3": "y"}
    assert report.dead_letters is not None
    letters = [json.loads(line) for line in Path(report.dead_letters).read_text(encoding="utf-8").splitlines()]
    assert [(letter["source"], letter["line"], letter["record"]) for letter in letters] == [
        (str(source), 2, "nonsense"),
        (str(source), 3, '{"id": "2"}'),
    ]


class ReaderOfOddIds:
    """Yields documents as a third party's reader may: one has an id that no index takes."""

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        documents = [Document("1", "x"), Document("2" * 600, "too long", metadata={"k": object()}), Document("3", "y")]
        return iter(documents[start:])

    def fingerprint(self) -> str:
        return "the same"


def test_a_document_that_the_index_refuses_becomes_a_dead_letter_that_can_be_ingested_again(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path
) -> None:
    report = run.ingest(run.Job("odd", "animals", prorank_home), ReaderOfOddIds(), backend)
    assert (report.documents, report.bad_records, texts(backend)) == (2, 1, {"1": "x", "3": "y"})
    assert report.dead_letters is not None
    letter = json.loads(Path(report.dead_letters).read_text(encoding="utf-8"))
    assert (letter["source"], letter["line"]) == ("odd", None)
    assert "has 600 bytes: give it 1 to 512" in letter["reason"]
    repaired = write(tmp_path / "repaired.jsonl", letter["record"].replace("2" * 600, "2"))
    ingest(repaired, backend, prorank_home)
    assert texts(backend) == {"1": "x", "2": "too long", "3": "y"}


def test_a_source_without_one_usable_record_leaves_the_index_as_it_was(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path
) -> None:
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": "x"}), backend, prorank_home)
    with pytest.raises(InputError, match="none of the 1 records"):
        ingest(write(tmp_path / "b.jsonl", "nonsense"), backend, prorank_home, replace=True)
    with pytest.raises(InputError, match="holds nothing to ingest"):
        ingest(write(tmp_path / "c.jsonl"), backend, prorank_home, replace=True)
    assert texts(backend) == {"1": "x"}


@pytest.mark.parametrize(
    ("text", "analysis"),
    [(ENGLISH, "english"), (CODE, "code"), ("我在北京看到一只猫。", "chinese"), ("lorem ipsum", "standard")],
)
def test_auto_names_the_analysis_that_fits(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, text: str, analysis: str
) -> None:
    source = write(tmp_path / "a.jsonl", {"id": "1", "text": text})
    assert ingest(source, backend, prorank_home).analysis == analysis
    assert [info.analysis for info in backend.indexes()] == [analysis]


def test_an_upsert_keeps_the_analysis_of_its_index(tmp_path: Path, backend: TantivyBackend, prorank_home: Path) -> None:
    ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": ENGLISH}), backend, prorank_home)
    source = write(tmp_path / "b.jsonl", {"id": "2", "text": CODE})
    assert ingest(source, backend, prorank_home).analysis == "english"
    with pytest.raises(InputError, match="'english', not 'code'"):
        ingest(source, backend, prorank_home, analysis="code")


def test_a_limit_counts_records(tmp_path: Path, backend: TantivyBackend, prorank_home: Path) -> None:
    records = [{"id": number, "text": "x"} for number in range(9)]
    assert ingest(write(tmp_path / "a.jsonl", *records), backend, prorank_home, limit=4).documents == 4


def test_a_run_that_ended_leaves_no_checkpoint(tmp_path: Path, backend: TantivyBackend, prorank_home: Path) -> None:
    report = ingest(write(tmp_path / "a.jsonl", {"id": "1", "text": "x"}), backend, prorank_home)
    assert report.resumed_from is None
    assert list((prorank_home / "ingest").iterdir()) == []


def test_long_documents_make_smaller_batches(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_CHARACTERS", 100)
    records = [{"id": number, "text": "word " * 20} for number in range(3)]
    steps: list[str] = []
    job = run.Job(str(write(tmp_path / "a.jsonl", *records)), "animals", prorank_home)
    run.ingest(job, open_source(job.source, job.options), backend, on_step=steps.append)
    assert steps.count("committed") == 3


def test_dead_letters_behind_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    letters = [dead_letters.of_record(BadRecord("a.jsonl", number, "bad")) for number in (1, 2)]
    length = dead_letters.DeadLetters(path, 0).write(letters[:1])
    for _ in range(2):
        dead_letters.DeadLetters(path, length).write(letters[1:])
    assert [json.loads(line)["line"] for line in path.read_text(encoding="utf-8").splitlines()] == [1, 2]


def test_dead_letters_that_cannot_be_written_say_where_and_why(tmp_path: Path) -> None:
    path = tmp_path / "a file" / "letters.jsonl"
    path.parent.write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"dead letters cannot be written into .*a file"):
        dead_letters.DeadLetters(path, 0).write([dead_letters.of_record(BadRecord("a.jsonl", 1, "bad"))])


def test_a_file_in_a_format_nobody_reads_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one\.json' is in no format that can be read by: beir"):
        open_source(str(write(tmp_path / "one.json", {"id": "1", "text": "x"})), ReaderOptions())


@pytest.mark.parametrize("source", ["", " "])
def test_a_source_without_a_name_is_not_the_working_directory(source: str) -> None:
    with pytest.raises(InputError, match="the source has no name"):
        open_source(source, ReaderOptions())


def test_a_source_that_nobody_reads_is_refused_with_what_can_be_read() -> None:
    with pytest.raises(InputError, match="'no_such_thing' is no file or folder here, and no name that can be read"):
        open_source("no_such_thing", ReaderOptions())
    with pytest.raises(InputError, match=r"by: table\."):
        open_source("json", ReaderOptions(), "table")
    with pytest.raises(UnknownPluginError, match="no plugin 'xml' among the readers"):
        open_source("json", ReaderOptions(), "xml")


def test_a_name_that_is_both_a_folder_and_a_package_asks_which_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"by files and by package: choose with --reader, or write \./json"):
        open_source("json", ReaderOptions())
    expected = Document("a.txt", "hello", "a.txt", {"file": "a.txt"})
    assert list(open_source("./json", ReaderOptions()).read()) == [expected]
    assert list(open_source("json", ReaderOptions(), "files").read()) == [expected]


def test_a_run_goes_on_only_with_the_reader_and_the_release_that_began_it(
    tmp_path: Path, prorank_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = run.Job(str(write(tmp_path / "a.jsonl", {"id": "1", "text": "x"})), "animals", prorank_home)
    reader = open_source(job.source, job.options)
    begun = run._fingerprint(job, reader)  # noqa: SLF001 (what a run is held to is nobody's business but a test's)
    assert begun == run._fingerprint(job, open_source(job.source, job.options))  # noqa: SLF001
    other = open_source(str(write(tmp_path / "b.csv", "id,text", "1,x")), job.options)
    monkeypatch.setattr(type(other), "fingerprint", lambda _: reader.fingerprint())
    assert begun != run._fingerprint(job, other)  # noqa: SLF001
    monkeypatch.setattr(run, "version", lambda _: "another")
    assert begun != run._fingerprint(job, reader)  # noqa: SLF001


@pytest.mark.parametrize("folder", [True, False])
def test_a_checkpoint_that_cannot_be_used_is_named(
    tmp_path: Path, backend: TantivyBackend, prorank_home: Path, *, folder: bool
) -> None:
    source = write(tmp_path / "a.jsonl", {"id": "1", "text": "x"})
    path = run._checkpoint_path(run.Job(str(source), "animals", prorank_home), backend)  # noqa: SLF001
    path.parent.mkdir(parents=True)
    if folder:
        path.mkdir()
    else:
        path.write_text("no database" * 1000)
    with pytest.raises(ConfigError, match=f"{path}.*delete the file"):
        ingest(source, backend, prorank_home)
