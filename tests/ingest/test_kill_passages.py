"""An ingest of passages that is killed and run again leaves each document with all its passages, each once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prorank_ingest import run
from prorank_ingest.passages import PassageSize
from prorank_ingest.selection import open_source
from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.passages import whole_documents

SCRIPT = Path(__file__).with_name("killed_ingest.py")
TEXTS = {str(number): f"Text {number} begins. Text {number} ends." for number in range(250)}


@pytest.mark.parametrize(("point", "nth"), [("document", 150), ("committed", 2), ("saved", 2), ("published", 1)])
def test_each_document_has_all_its_passages_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    monkeypatch.setattr(run, "BATCH_RECORDS", 100)
    source, home = tmp_path / "a.jsonl", tmp_path / "home"
    source.write_text("".join(json.dumps({"id": doc_id, "text": text}) + "\n" for doc_id, text in TEXTS.items()))
    command = [sys.executable, str(SCRIPT), str(source), "animals", str(home), "passages", point, str(nth)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    job = run.Job(str(source), "animals", home, passages=PassageSize(tokens=4, overlap=0))
    backend = TantivyBackend(home / "indexes")
    report = run.ingest(job, open_source(job.source, job.options), backend)
    (info,) = backend.indexes()
    assert (report.documents, info.documents, info.passages) == (250, 250, 500)
    assert {whole.doc_id: whole.text for whole in whole_documents(backend.scan("animals"))} == TEXTS
