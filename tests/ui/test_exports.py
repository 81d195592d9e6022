"""A comparison as a file: whole, safe in a spreadsheet, ready for TREC's tools, and a page that fetches nothing."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.evaluation.trec_files import read_run
from prorank_search.types import Document, Query, RescoredHit, SearchResult, Status
from prorank_ui.compare import exports

FORMULA = '=HYPERLINK("http://127.0.0.1:9")'


@pytest.fixture
def result() -> SearchResult:
    """A result of two hits, the first of which a model has raised."""
    hits = (
        RescoredHit(Document("fox", "A fox.", title=FORMULA), 2.0, 1, 2, 1.5, rescore_score=3.0, probability=0.9),
        RescoredHit(Document("dog", "<b>A dog</b>, it's said."), 1.0, 2, 1, 2.5),
    )
    took_ms = {"first_stage": 1.0, "rescore": 2.0, "total": 3.0}
    return SearchResult(Query("q", "a fox"), hits, Status("ok", "", 1, "tiny", "7"), took_ms)


def test_json_holds_both_results_whole_and_what_was_chosen(result: SearchResult) -> None:
    told = json.loads(exports.as_json({"left BM25": result}, {"q": "a fox"}))
    assert told["chosen"] == {"q": "a fox"}
    assert [hit["doc_id"] for hit in told["left BM25"]["hits"]] == ["fox", "dog"]
    assert told["left BM25"]["status"]["model_revision"] == "7"


def test_a_table_has_a_row_for_each_hit_and_no_cell_that_a_spreadsheet_runs(result: SearchResult) -> None:
    first, second = csv.DictReader(io.StringIO(exports.as_csv({"right tiny": result})))
    assert (first["side"], first["rank"], first["doc_id"], first["rescore_score"]) == ("right tiny", "1", "fox", "3.0")
    assert first["title"] == f"'{FORMULA}"
    assert (second["rescore_score"], second["probability"]) == ("", "")


def test_a_run_is_read_back_in_its_order(result: SearchResult, tmp_path: Path) -> None:
    file = tmp_path / "right.run"
    file.write_text(exports.as_run("tiny, 20 hits", result, "q1"), encoding="utf-8")
    assert file.read_text("utf-8").splitlines()[0] == "q1 Q0 fox 1 2 tiny,-20-hits"
    assert read_run(file) == {"q1": [("q1", "fox", 2.0), ("q1", "dog", 1.0)]}


def test_an_id_that_a_run_cannot_hold_is_told(result: SearchResult) -> None:
    spaced = replace(result.hits[0], document=Document("red fox", "A fox."))
    with pytest.raises(InputError, match="'red fox' cannot stand in a TREC run file"):
        exports.as_run("tiny", replace(result, hits=(spaced,)), "q1")


def test_a_page_escapes_its_title_and_may_fetch_and_run_nothing() -> None:
    page = exports.as_page("<script>fox</script>", ".pr-board { color: red; }", ["<p>part</p>"])
    assert "<title>&lt;script&gt;fox&lt;/script&gt;</title>" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert page.endswith("<p>part</p></body></html>")
