"""`prorank judge`, run as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from prorank_search.cli import app
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.types import Qrel, Query

QUEPID = "query,docid,rating\nred dress,B1,3\nred dress,B2,0\nblue hat,B1,1\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_HOME", str(tmp_path / "home"))
    (tmp_path / "quepid.csv").write_text(QUEPID, encoding="utf-8")
    return tmp_path


@pytest.fixture
def beir_folder(home: Path) -> Path:
    (home / "beir" / "qrels").mkdir(parents=True)
    (home / "beir" / "queries.jsonl").write_text('{"_id": "q1", "text": "fox"}\n{"_id": "q2", "text": "owl"}\n')
    (home / "beir" / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td7\t1\n")
    return home / "beir"


def judge(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["judge", *map(str, arguments)])


def store(home: Path) -> JudgmentStore:
    return JudgmentStore(home / "home" / FILE_NAME)


def test_what_quepid_exports_goes_in_and_comes_out_again(home: Path) -> None:
    result = judge("import", "quepid.csv", "--set", "shop", "--index", "products", "--judge", "ada")
    assert result.output == "shop: 3 new of 3 judgments, 2 new of 2 queries, as ada\n"
    assert judge("export", "shop", "--form", "quepid").output == QUEPID
    assert {one.judge for one in store(home).judgments("shop")} == {"ada"}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("flag", ["--out", "--queries-out"])
def test_a_file_that_cannot_be_written_is_named(flag: str) -> None:
    judge("import", "quepid.csv", "--set", "shop", "--index", "products")
    result = judge("export", "shop", flag, "nowhere/qrels")
    complaint = "error: nowhere/qrels cannot be written: No such file or directory\n"
    assert (result.exit_code, result.stderr) == (3, complaint)


@pytest.mark.usefixtures("home")
def test_the_same_file_goes_in_once() -> None:
    judge("import", "quepid.csv", "--set", "shop", "--index", "products")
    told = json.loads(judge("import", "quepid.csv", "--set", "shop", "--json").output)
    assert (told["new_queries"], told["new_judgments"], told["judgments"]) == (0, 0, 3)


def test_a_split_of_a_beir_folder_goes_in_and_comes_out_as_files_that_evaluate_takes(
    home: Path, beir_folder: Path
) -> None:
    judge("import", beir_folder, "--split", "dev", "--set", "animals", "--index", "zoo")
    judge("export", "animals", "--form", "beir", "--out", "qrels.tsv", "--queries-out", "queries.jsonl")
    assert (home / "qrels.tsv").read_text() == (beir_folder / "qrels" / "dev.tsv").read_text()
    assert json.loads((home / "queries.jsonl").read_text()) == {"_id": "q2", "text": "owl"}


def test_nothing_is_imported_of_a_file_with_a_line_that_cannot_be_used(home: Path) -> None:
    (home / "bad.csv").write_text(QUEPID + "blue hat,B2,very\n", encoding="utf-8")
    result = judge("import", "bad.csv", "--set", "shop", "--index", "products")
    assert result.exit_code == 3
    assert "bad.csv:5: the rating 'very' is not a number" in result.output
    assert store(home).query_sets() == []


def test_qrels_need_their_queries(home: Path) -> None:
    (home / "a.qrels").write_text("q1 0 d1 2\n")
    (home / "queries.tsv").write_text("q1\tred fox\n")
    result = judge("import", "a.qrels", "--set", "animals", "--index", "zoo")
    assert (result.exit_code, "'q1' is not known here" in result.output) == (3, True)
    assert judge("import", "a.qrels", "--set", "animals", "--index", "zoo", "--queries", "queries.tsv").exit_code == 0
    assert store(home).queries("animals") == {"q1": Query("q1", "red fox")}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["import", "quepid.csv", "--set", "shop"], "no query set 'shop' yet: say with --index"),
        (["import", "quepid.csv", "--set", "shop", "--index", "i", "--form", "xml"], "--form 'xml': there are trec, "),
    ],
)
def test_what_is_missing_is_asked_for(arguments: list[str], complaint: str) -> None:
    result = judge(*arguments)
    assert (result.exit_code, complaint in result.output) == (2, True)


def test_a_models_judgments_stay_proposals(home: Path) -> None:
    judge("import", "quepid.csv", "--set", "shop", "--index", "products", "--judge", "prorank", "--proposals")
    assert store(home).qrels("shop") == []
    assert judge("export", "shop").output == ""
    assert judge("export", "shop", "--form", "quepid", "--proposals").output == QUEPID


def test_a_rescorer_without_probabilities_proposes_nothing(home: Path) -> None:
    judge("import", "quepid.csv", "--set", "shop", "--index", "products")
    result = judge("propose", "shop", "--rescorer", "overlap")
    assert (result.exit_code, "are no calibrated probabilities" in result.output) == (3, True)
    assert store(home).qrels("shop", "model") == []
    assert "there is no query set 'shelf'; there are: shop" in judge("propose", "shelf").output


def test_the_list_tells_what_was_judged_and_how_far_judges_agree(home: Path) -> None:
    assert "No query set yet" in judge("list").output
    judge("import", "quepid.csv", "--set", "shop", "--index", "products", "--judge", "ada")
    there = store(home)
    for one in there.judgments("shop"):
        there.judge(Judgment("shop", one.query_id, one.doc_id, "bo", one.relevance))
    (told,) = json.loads(judge("list", "--json").output)
    assert (told["judged"], told["judges"], told["alpha"], told["proposals"]) == (3, 2, 1.0, 0)
    assert judge("list").output.split("\n")[1].split()[:7] == ["shop", "products", "2", "3", "0", "2", "1.0"]


def test_a_backup_is_a_whole_store_and_replaces_no_file(home: Path) -> None:
    judge("import", "quepid.csv", "--set", "shop", "--index", "products")
    assert judge("backup", "copy.sqlite").exit_code == 0
    assert len(JudgmentStore(home / "copy.sqlite").qrels("shop")) == 3
    assert judge("backup", "copy.sqlite").exit_code == 2
    assert Qrel(*store(home).qrels("shop")[0]).relevance == 3
