"""Whatever is typed or named: nothing of it is executed or read as Markdown, no page breaks. In Streamlit's runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.types import Document, Query
from prorank_ui.app_pages.compare import LONGEST_QUERY
from prorank_ui.documents import uploads
from tests.ui.conftest import PATIENCE_S
from tests.ui.test_documents_page import File
from tests.ui.test_train_page import job_left

PAGES = ("compare", "judge", "evaluate", "train", "documents", "status")
PICTURE = "![x](http://127.0.0.1:9/x.png)"
AWKWARD = f"\"><img src=x onerror=alert(1)> <script>alert(1)</script> '; -- {PICTURE} :red[a] $b$ כלב \u202e🦊👩‍👩‍👧"
TEXTS = {"awkward": AWKWARD, "a megabyte": "dog " * 250_000, "emoji": "🦊" * 500, "right to left": "כלב \u202edog"}


@pytest.fixture
def home_of_awkward_names(home: Path, animals: str) -> Path:
    """A home whose documents, query set and jobs are called what nobody should call anything."""
    with TantivyBackend(home / "indexes").writer(animals, analysis="english", replace=True) as writer:
        writer.add([Document("1", f"A dog. {AWKWARD}", title=f"Dogs and {AWKWARD}"), Document("2", "A dog.")])
        writer.publish()
    store = JudgmentStore(home / FILE_NAME)
    store.add_queries(AWKWARD, animals, [Query("1", f"dog {AWKWARD}")])
    store.judge(*(Judgment(AWKWARD, "1", "1", judge, grade) for judge, grade in (("ada", 3), (AWKWARD, 0))))
    store.close()
    for at, kind in enumerate(("evaluate", "train", "ingest", "groups")):
        folder = job_left(home, kind, name=str(at), exit_code=5, title=AWKWARD)
        (folder / "output.txt").write_text(f"error: {AWKWARD}\n", encoding="utf-8")
    return home


def shown(app: AppTest) -> tuple[str, str]:
    """Return what is drawn as HTML, without style sheets, and what Streamlit reads as Markdown."""
    assert not app.exception
    html = "".join(element.proto.body for element in app.get("html") if "<style>" not in element.proto.body)
    labels = [each.label for kind in (app.button, app.expander, app.text_input, app.selectbox) for each in kind]
    texts = [each.value for kind in (app.caption, app.markdown) for each in kind]
    return html, "\n".join([*labels, *texts, *(each.proto.text for each in app.get("progress"))])


@pytest.mark.usefixtures("stages", "home_of_awkward_names")
@pytest.mark.parametrize("page", PAGES)
def test_names_and_titles_are_text_on_every_page(page: str) -> None:
    app = AppTest.from_string(f"from prorank_ui.app_pages import {page}\n{page}.page()", default_timeout=PATIENCE_S)
    app.session_state["judge"] = AWKWARD
    app.run()
    html, markdown = shown(app)
    assert "<script" not in html
    assert "<img" not in html
    assert PICTURE not in markdown


@pytest.mark.usefixtures("stages", "animals")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("page", ["compare", "judge", "documents"])
def test_text_in_every_field_breaks_no_page(home: Path, page: str, text: str) -> None:
    app = AppTest.from_string(f"from prorank_ui.app_pages import {page}\n{page}.page()", default_timeout=PATIENCE_S)
    app.session_state["judge"] = "ada"
    app.query_params["upload"] = uploads.keep([File(b"id,text\n1,The dogs bark.\n")], home).upload_id
    app.run()
    fields = [*app.text_input, *app.text_area]
    assert fields
    for field in fields:
        field.set_value(text)
    app.run()
    for label in ("Preview", "Start", "Make the set", "Delete the index"):
        for button in [button for button in app.button if button.label == label]:
            button.click().run()
    html, markdown = shown(app)
    assert "<script" not in html
    assert PICTURE not in markdown
    assert [index.name for index in TantivyBackend(home / "indexes").indexes()] == ["animals"]
    for job in jobs.jobs(home / "jobs"):
        jobs.stop(job)


@pytest.mark.usefixtures("stages", "animals")
def test_a_link_with_a_longer_query_than_can_be_typed_is_followed(home: Path) -> None:  # noqa: ARG001
    app = AppTest.from_string("from prorank_ui.app_pages import compare\ncompare.page()", default_timeout=PATIENCE_S)
    app.query_params["q"] = f"dog {'x' * LONGEST_QUERY}"
    app.run()
    assert "pr-after" in shown(app)[0]
