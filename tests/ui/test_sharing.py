"""What can be downloaded of a comparison, and what that costs whoever only looks at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_ui.cli import SCRIPT
from prorank_ui.compare import exports
from tests.ui.conftest import PATIENCE_S


@pytest.mark.usefixtures("animals")
def test_no_file_is_written_before_somebody_wants_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    written: list[str] = []
    for form in ("as_json", "as_csv", "as_page"):
        monkeypatch.setattr(exports, form, lambda *_, form=form: written.append(form))
    app = AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE_S)
    app.query_params.update({"q": "fox", "index": "animals", "right": "overlap"})
    app.run()
    assert [button.proto.label for button in app.get("download_button")] == [
        "JSON",
        "CSV",
        "Web page",
        "TREC run, left",
        "TREC run, right",
    ]
    assert written == []
