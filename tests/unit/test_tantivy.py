from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

import pytest

from prorank_search.backends.tantivy import TantivyBackend, open_backend, versions
from prorank_search.errors import BackendError, ConfigError, IndexLockedError, IndexNotFoundError, InputError
from prorank_search.settings import Settings
from prorank_search.types import Document, Query, SearchRequest

WRITE_AND_HANG = """
import sys, time
from pathlib import Path
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.types import Document
writer = TantivyBackend(Path(sys.argv[1])).writer("animals", analysis="english", replace=sys.argv[2] == "replace")
writer.add(Document(str(number), "a committed fox") for number in range(50))
writer.commit()
writer.add(Document(f"late-{number}", "a lost fox") for number in range(50))
print(writer.version, flush=True)
time.sleep(60)
"""


@pytest.fixture
def backend(tmp_path: Path) -> TantivyBackend:
    return open_backend(Settings(home=tmp_path))


def fill(backend: TantivyBackend, *documents: Document, analysis: str = "english", index: str = "animals") -> None:
    with backend.writer(index, analysis=analysis, replace=True) as writer:
        writer.add(documents)
        writer.publish()


def found(backend: TantivyBackend, text: str, *, fields: dict[str, float] | None = None) -> list[str]:
    request = SearchRequest("animals", Query("", text), fields=fields)
    return [hit.document.doc_id for hit in backend.search(request).hits]


def start_a_writer(indexes: Path, mode: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_HANG, str(indexes), mode], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_writer_leaves_no_lock_and_what_it_committed(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("old", "an old fox"))
    process, version = start_a_writer(tmp_path / "indexes", "replace")
    with pytest.raises(IndexLockedError, match="'animals' has another writer open: wait"):
        backend.writer("animals", analysis="english", replace=False)
    kill(process)
    assert found(backend, "fox") == ["old"]
    with backend.writer("animals", analysis="english", replace=True, resume=version) as writer:
        writer.add([Document("new", "a new fox")])
        writer.publish()
    assert backend.count("animals") == 51
    assert found(backend, "lost") == []


def test_another_process_s_commit_is_seen_at_once(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("old", "an old fox"))
    assert found(backend, "committed") == []
    process, _ = start_a_writer(tmp_path / "indexes", "upsert")
    assert len(found(backend, "committed")) == 10
    kill(process)
    assert backend.count("animals") == 51


def test_a_version_that_nobody_published_is_swept_by_the_next_replacement(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "one"))
    with backend.writer("animals", analysis="english", replace=True) as writer:
        abandoned = writer.version
    fill(backend, Document("2", "two"))
    assert abandoned not in backend.versions("animals")


def test_two_published_versions_are_kept(backend: TantivyBackend) -> None:
    for number in range(4):
        fill(backend, Document(str(number), "fox"))
    assert len(backend.versions("animals")) == 2
    backend.rollback("animals")
    assert found(backend, "fox") == ["2"]
    with pytest.raises(InputError, match="nothing to return to"):
        backend.rollback("animals")


def test_a_rollback_to_a_version_that_is_gone_leaves_the_present_one(backend: TantivyBackend, tmp_path: Path) -> None:
    for number in range(2):
        fill(backend, Document(str(number), "fox"))
    rmtree(tmp_path / "indexes" / "animals" / backend.versions("animals")[0])
    with pytest.raises(BackendError, match="--replace"):
        backend.rollback("animals")
    assert found(backend, "fox") == ["1"]


def test_a_replaced_index_is_never_read_from_the_old_one_s_memory(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "getUserName"), analysis="code")
    assert found(backend, "user") == ["1"]
    backend.delete("animals")
    fill(backend, Document("2", "getUserName user"), analysis="standard")
    assert found(backend, "user") == ["2"]
    assert found(backend, "get") == []


def test_resuming_a_version_that_is_not_there_says_so(backend: TantivyBackend) -> None:
    with pytest.raises(InputError, match="no version 'v9'"):
        backend.writer("animals", analysis="english", replace=True, resume="v9")


def test_a_new_index_needs_the_name_of_a_preset(backend: TantivyBackend) -> None:
    with pytest.raises(ConfigError, match="'auto'"):
        backend.writer("animals", analysis="auto", replace=False)
    assert backend.versions("animals") == []


def test_an_existing_index_keeps_its_preset_with_auto(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "foxes"))
    with backend.writer("animals", analysis="auto", replace=False) as writer:
        writer.add([Document("2", "a fox")])
        writer.publish()
    assert set(found(backend, "fox")) == {"1", "2"}


def test_an_unknown_index_names_the_known_ones(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "fox"))
    with pytest.raises(IndexNotFoundError, match=r"no index 'plants' .*there are: animals"):
        backend.search(SearchRequest("plants", Query("", "fox")))


def test_a_query_body_is_refused(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "fox"))
    with pytest.raises(InputError, match="takes no query body"):
        backend.search(SearchRequest("animals", Query("", "fox"), body={"match_all": {}}))


def test_boosts_weigh_title_against_text(backend: TantivyBackend) -> None:
    fill(
        backend,
        Document("title", "about owls", "fox"),
        Document("text", "about a fox", "owls"),
        Document("x", "x", "x"),
    )
    assert found(backend, "fox", fields={"title": 3.0, "text": 1.0}) == ["title", "text"]
    assert found(backend, "fox", fields={"title": 0.1, "text": 1.0}) == ["text", "title"]
    assert found(backend, "fox", fields={"text": 1.0}) == ["text"]


@pytest.mark.parametrize("fields", [{"body": 1.0}, {}, {"text": -1.0}])
def test_fields_that_cannot_be_searched_are_refused(backend: TantivyBackend, fields: dict[str, float]) -> None:
    fill(backend, Document("1", "fox"))
    with pytest.raises(InputError, match="title and text"):
        found(backend, "fox", fields=fields)


@pytest.mark.parametrize("top_k", [0, -1])
def test_top_k_below_one_is_refused(backend: TantivyBackend, top_k: int) -> None:
    fill(backend, Document("1", "fox"))
    with pytest.raises(InputError, match="top_k"):
        backend.search(SearchRequest("animals", Query("", "fox"), top_k))


def test_top_k_beyond_the_index_is_fine(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "fox"))
    assert len(backend.search(SearchRequest("animals", Query("", "fox"), 10**9)).hits) == 1


def test_an_empty_index_finds_nothing(backend: TantivyBackend) -> None:
    fill(backend)
    assert backend.count("animals") == 0
    assert found(backend, "fox") == []
    assert list(backend.scan("animals")) == []


def test_a_scan_finds_each_document_once_whichever_commit_brought_it(backend: TantivyBackend) -> None:
    with backend.writer("animals", analysis="english", replace=True) as writer:
        for commit in range(3):
            writer.add([Document(f"only-{commit}", "fox"), Document("every", f"fox {commit}")])
            writer.commit()
        writer.publish()
    scanned = sorted((document.doc_id, document.text) for document in backend.scan("animals"))
    assert scanned == [("every", "fox 2"), ("only-0", "fox"), ("only-1", "fox"), ("only-2", "fox")]


def test_passages_and_nested_metadata_come_back_as_they_were(backend: TantivyBackend) -> None:
    document = Document("1", "fox", "", {"a": {"b": [1, None, True]}, "long": "x" * 70_000}, "parent", (3, 9))
    fill(backend, document)
    assert list(backend.scan("animals")) == [document]


@pytest.mark.parametrize("wanted", [{"a.b": 1}, {"a.b": "1"}, {"a.b": [5, 1]}, {"a": {"b": True}}, {"c=d": "e"}])
def test_filters_reach_lists_and_nested_keys(backend: TantivyBackend, wanted: dict[str, object]) -> None:
    fill(backend, Document("1", "fox", "", {"a": {"b": [1, True]}, "c=d": "e"}), Document("2", "fox"))
    hits = backend.search(SearchRequest("animals", Query("", "fox"), filter=wanted)).hits
    assert [hit.document.doc_id for hit in hits] == ["1"]


def test_a_filter_value_that_is_too_long_to_be_indexed_is_an_error(backend: TantivyBackend) -> None:
    fill(backend, Document("1", "fox", "", {"long": "x" * 1000}))
    with pytest.raises(InputError, match="'long' has a value over 256 bytes"):
        backend.search(SearchRequest("animals", Query("", "fox"), filter={"long": "x" * 1000}))


@pytest.mark.parametrize("doc_id", ["", "x" * 513])
def test_an_id_that_cannot_be_one_is_refused(backend: TantivyBackend, doc_id: str) -> None:
    with backend.writer("animals", analysis="english", replace=True) as writer, pytest.raises(InputError, match="id"):
        writer.add([Document(doc_id, "fox")])


@pytest.mark.parametrize(
    "document",
    [Document("1", "fox", "", {"when": object()}), Document("1", "half a pair: \ud83d"), Document("1\ud83d", "fox")],
)
def test_what_is_not_json_is_refused(backend: TantivyBackend, document: Document) -> None:
    with backend.writer("animals", analysis="english", replace=True) as writer, pytest.raises(InputError, match="'1"):
        writer.add([document])


def test_a_chinese_match_is_highlighted_as_one_word(backend: TantivyBackend) -> None:
    document = Document("1", "他在北京大学的图书馆。")
    fill(backend, document, analysis="chinese")
    request = SearchRequest("animals", Query("", "北京大学的位置"))
    assert backend.highlights(request, [document]) == [("北京大学的",)]


def test_part_of_an_identifier_is_highlighted(backend: TantivyBackend) -> None:
    document = Document("1", "def getUserName(self)")
    fill(backend, document, analysis="code")
    request = SearchRequest("animals", Query("", "names of a user"))
    assert backend.highlights(request, [document]) == [("UserName",)]


def test_a_damaged_version_is_a_backend_error_that_says_what_to_do(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("1", "fox"))
    version = tmp_path / "indexes" / "animals" / backend.versions("animals")[0]
    (version / "meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(BackendError, match="--replace"):
        found(open_backend(Settings(home=tmp_path)), "fox")


def test_an_index_on_a_read_only_disk_can_be_searched(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("1", "fox"))
    version = tmp_path / "indexes" / "animals" / backend.versions("animals")[0]
    (version / ".tantivy-meta.lock").unlink(missing_ok=True)
    (version / ".tantivy-meta.lock").mkdir()  # root could write into any folder, but a folder is no lock file
    version.chmod(0o555)
    reader = open_backend(Settings(home=tmp_path))
    assert found(reader, "fox") == ["1"]
    assert [document.doc_id for document in reader.scan("animals")] == ["1"]


def test_an_index_that_cannot_be_locked_is_not_written_to(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("1", "fox"))
    (tmp_path / "indexes" / ".locks" / "animals").unlink()
    (tmp_path / "indexes" / ".locks" / "animals").mkdir()
    with pytest.raises(BackendError, match=r"'animals' cannot be changed, since .* cannot be written to"):
        backend.writer("animals", analysis="english", replace=True)


def test_an_index_of_another_release_is_a_backend_error(backend: TantivyBackend, tmp_path: Path) -> None:
    fill(backend, Document("1", "fox"))
    path = tmp_path / "indexes" / "animals" / backend.versions("animals")[0] / "version.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "format": 0}), encoding="utf-8")
    with pytest.raises(BackendError, match="format 0"):
        found(open_backend(Settings(home=tmp_path)), "fox")


def test_an_index_that_cannot_be_read_does_not_hide_the_others(
    backend: TantivyBackend, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for index in ("animals", "plants"):
        fill(backend, Document("1", "a fox in the grass"), index=index)
    (tmp_path / "indexes" / "animals" / backend.versions("animals")[0] / "version.json").write_text("{")
    listed = open_backend(Settings(home=tmp_path)).indexes()
    assert [info.name for info in listed] == ["plants"]
    assert "index 'animals' is left out" in caplog.text


def test_an_index_that_is_deleted_while_they_are_listed_is_left_out(
    backend: TantivyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in ("animals", "plants"):
        fill(backend, Document("1", "a fox in the grass"), index=index)
    size = versions.size_bytes

    def meanwhile(version: Path) -> int:
        if version.parent.name == "animals":
            versions.delete(version.parent)
        return size(version)

    monkeypatch.setattr(versions, "size_bytes", meanwhile)
    assert [info.name for info in backend.indexes()] == ["plants"]
