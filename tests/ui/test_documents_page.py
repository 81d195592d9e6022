"""Add documents in Streamlit's own test runner."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_ui.documents import ingest_jobs, ingesting, uploads
from tests.ui.conftest import PATIENCE_S, run_until


def draw() -> None:
    from prorank_ui.app_pages import documents

    documents.page()


class File(BytesIO):
    name = "zoo.csv"


@pytest.fixture
def app(home: Path) -> AppTest:  # noqa: ARG001 (the page reads it from the environment)
    return AppTest.from_function(draw, default_timeout=PATIENCE_S)


@pytest.fixture
def upload(home: Path) -> uploads.Upload:
    return uploads.keep([File(b"id,text\n1,The dogs bark.\n2,<b>fox</b>\n3\n")], home)


def drawn(app: AppTest) -> str:
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)


def button(app: AppTest, label: str) -> AppTest:
    return next(each for each in app.button if each.label == label).click().run()


def test_a_first_visit_says_what_can_be_uploaded(app: AppTest) -> None:
    app.run()
    assert "JSONL" in app.file_uploader[0].label
    assert "200 MB" in app.caption[0].value
    assert "None yet" in app.caption[-1].value


def test_an_uploaded_file_goes_to_disk_and_into_the_address(app: AppTest, home: Path) -> None:
    app.run()
    app.file_uploader[0].set_value(("animals of mine.csv", b"id,text\n1,dog\n", "text/csv")).run()
    (kept,) = uploads.kept(home)
    assert app.query_params["upload"] in (kept.upload_id, [kept.upload_id])
    assert "Uploaded: animals of mine.csv" in drawn(app)
    assert app.text_input[0].value == "animals-of-mine"


def test_a_preview_shows_documents_and_bad_records_and_changes_nothing(
    app: AppTest, home: Path, upload: uploads.Upload
) -> None:
    app.query_params["upload"] = upload.upload_id
    app.run()
    button(app, "Preview")
    assert "Of the first 3 records 1 cannot be used" in drawn(app)
    assert "&lt;b&gt;fox" in drawn(app)
    assert jobs.jobs(home / "jobs") == []


def test_a_preview_counts_all_that_cannot_be_used_and_ids_that_come_twice(app: AppTest, home: Path) -> None:
    rows = "".join(f"{number},{'' if number % 2 else 'a dog'}\n" for number in range(20))
    app.query_params["upload"] = uploads.keep([File(f"id,text\n{rows}2,a fox\n".encode())], home).upload_id
    app.run()
    button(app, "Preview")
    assert "Of the first 21 records 10 cannot be used, 1 is replaced by a later one with the same id." in drawn(app)


def test_a_complaint_about_columns_opens_the_fields_that_name_them(app: AppTest, home: Path) -> None:
    app.query_params["upload"] = uploads.keep([File(b"sku,text\n1,a dog\n")], home).upload_id
    app.run()
    details = next(block for block in app.expander if block.label == "Details")
    assert not details.proto.expanded
    button(app, "Preview")
    assert "say which under “Details”, “ID column”" in drawn(app)
    details = next(block for block in app.expander if block.label == "Details")
    assert details.proto.expanded
    app.text_input(key="id_column").set_value("sku").run()
    button(app, "Preview")
    assert "The first 1 record can be read" in drawn(app)


def test_a_preview_that_takes_too_long_says_nothing_against_the_files(
    app: AppTest, upload: uploads.Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "DRY_RUN_TAKES_AT_MOST_S", 0.01)
    app.query_params["upload"] = upload.upload_id
    app.run()
    button(app, "Preview")
    assert "The preview took too long" in drawn(app)
    assert "cannot be ingested" not in drawn(app)


def test_a_started_ingest_ends_with_an_index_and_its_bad_records(
    app: AppTest, home: Path, upload: uploads.Upload
) -> None:
    app.query_params["upload"] = upload.upload_id
    app.run()
    button(app, "Start")
    assert "upload" not in app.query_params
    run_until(app, lambda: "finished, with bad records" in drawn(app))
    assert "2 documents in" in drawn(app)
    assert "columns: 2 in the header, 1 in the row" in drawn(app)
    assert [index.name for index in TantivyBackend(home / "indexes").indexes()] == ["zoo"]
    assert "resume" not in [each.label.lower() for each in app.button]


def test_what_was_typed_last_counts_where_start_is_pressed_at_once(
    app: AppTest, home: Path, upload: uploads.Upload
) -> None:
    app.query_params["upload"] = upload.upload_id
    app.run()
    app.text_input[0].set_value("typed-just-now")
    button(app, "Start")
    (job,) = jobs.jobs(home / "jobs")
    assert job.about["index"] == "typed-just-now"
    jobs.stop(job)


def test_a_failed_ingest_says_why_and_can_be_resumed(app: AppTest, upload: uploads.Upload) -> None:
    app.query_params["upload"] = upload.upload_id
    app.run()
    app.text_input[0].set_value("No Name!").run()
    button(app, "Start")
    run_until(app, lambda: "The ingest failed" in drawn(app))
    assert "cannot be an index name" in drawn(app)
    assert "Resume" in [each.label for each in app.button]


def test_a_failed_ingest_leads_back_to_its_upload_and_names_the_field_to_fill(app: AppTest, home: Path) -> None:
    upload = uploads.keep([File(b"number,text\n1,kettle\n")], home)
    app.query_params["upload"] = upload.upload_id
    app.run()
    button(app, "Start")
    run_until(app, lambda: "The ingest failed" in drawn(app))
    assert ">zoo.csv has no column for the id" in drawn(app)
    assert "under “Details”, “ID column”" in drawn(app)
    button(app, "Change and start anew")
    app.text_input(key="id_column").set_value("number").run()
    button(app, "Start")
    run_until(app, lambda: "1 document in" in drawn(app) and "The ingest failed" not in drawn(app))


def test_an_address_that_names_no_upload_says_so_and_offers_a_new_one(app: AppTest) -> None:
    app.query_params["upload"] = "../../etc"
    app.run()
    assert "there is no upload" in drawn(app)
    assert len(app.file_uploader) == 1


def test_an_index_is_deleted_once_its_name_is_typed(app: AppTest, home: Path, animals: str) -> None:
    app.run()
    button(app, "Delete the index")
    assert "nothing was deleted" in drawn(app)
    app.text_input(key=f"delete {animals}").set_value(animals)
    button(app, "Delete the index")
    assert TantivyBackend(home / "indexes").indexes() == []
    assert "is deleted, with all its versions" in drawn(app)


def test_an_index_goes_back_to_its_version_before(app: AppTest, home: Path, animals: str) -> None:
    backend = TantivyBackend(home / "indexes")
    first = backend.versions(animals)
    with backend.writer(animals, analysis="english", replace=True) as writer:
        writer.add([])
        writer.publish()
    (second,) = [index.version for index in backend.indexes()]
    app.run()
    assert f"{first[0]}, {second} (searched now)" in drawn(app)
    button(app, "Roll back to the previous version")
    assert [index.version for index in backend.indexes()] == first
    assert "&#x27;animals&#x27; is back at the previous version" in drawn(app)
    assert f"{first[0]} (searched now), {second}" in drawn(app)
    assert any("is kept. There is no way back." in caption.value for caption in app.caption)
    assert [one.disabled for one in app.button if one.label == "Roll back to the previous version"] == [True]
    button(app, "Delete the other versions")
    assert backend.versions(animals) == first
    assert "The other versions of &#x27;animals&#x27; are deleted" in drawn(app)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "\"'; --config=/etc/passwd", "X" * 1_000_000, "🦊" * 50, "כלב \u202edog", "../../up"],
)
def test_no_text_in_a_field_breaks_the_page_or_leaves_the_home(
    app: AppTest, home: Path, upload: uploads.Upload, text: str
) -> None:
    app.query_params["upload"] = upload.upload_id
    app.run()
    app.text_input[0].set_value(text).run()
    app.text_input(key="title_column").set_value(text).run()
    button(app, "Preview")
    button(app, "Start")
    if "That did not work" not in drawn(app):  # told once: another run is without it
        run_until(app, lambda: "The ingest failed" in drawn(app))
    assert "<script" not in drawn(app)
    assert list((home / "indexes").glob("[!.]*")) == []


def test_a_running_ingest_is_stopped_and_can_go_on(app: AppTest, home: Path) -> None:
    code = """print('{"documents": 1200, "docs_per_s": 400.0, "bad_records": 0, "share_read": 0.25}', flush=True)
import time; time.sleep(3600)"""
    job = jobs.start(home / "jobs", "ingest", "a into b", (sys.executable, "-c", code))
    app.run()
    run_until(app, lambda: "1,200 documents, 400 a second" in drawn(app))
    assert 'value="0.250"' in drawn(app)
    button(app, "Stop")
    run_until(app, lambda: "stopped" in drawn(app))
    button(app, "Resume")
    assert jobs.status(job).state == "running"
    jobs.stop(job)


def test_an_upload_is_deleted_once_it_is_in_an_index_and_not_before(
    app: AppTest, home: Path, upload: uploads.Upload
) -> None:
    failed = jobs.start(home / "jobs", "ingest", "a", (sys.executable, "-c", "exit(1)"), {"upload": upload.upload_id})
    app.run()
    run_until(app, lambda: jobs.status(failed).state == "failed")
    assert ingest_jobs.spent_uploads(home) == []
    shutil.rmtree(failed.folder)
    ended = jobs.start(home / "jobs", "ingest", "a", (sys.executable, "-c", "exit(6)"), {"upload": upload.upload_id})
    run_until(app, lambda: jobs.status(ended).state == "failed")
    app.run()
    button(app, "Delete 1 upload that went into an index (40 bytes)")
    assert uploads.kept(home) == []


def test_a_title_is_data() -> None:
    job = jobs.Job("1", "ingest", "<script>x</script>", (), "2026-11-24T18:31:00", {}, Path())
    assert "<script>" not in ingest_jobs.card(job, jobs.JobStatus("running"), "<img>", 0.5)
