"""evaluate and rescore on the command line, over a real embedded index and the rescorer that needs no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner, Result

from prorank_search import Document, load_backend
from prorank_search.cli import app
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.settings import load_settings
from prorank_search.types import Query

TEXTS = {"goose": "Goose, goose, goose!", "grey": "A long walk that ended with a grey goose.", "fox": "A red fox."}


@pytest.fixture(autouse=True)
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BEIR folder, an index named animals of it, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    folder = tmp_path / "animals"
    (folder / "qrels").mkdir(parents=True)
    lines = [json.dumps({"_id": doc_id, "title": "", "text": text}) for doc_id, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(lines))
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "grey goose"}\n{"_id": "2", "text": "zebra"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tgrey\t1\n2\tfox\t1\n")
    with load_backend(load_settings()).writer("animals", analysis="english", replace=False) as writer:
        writer.add(Document(doc_id, text) for doc_id, text in TEXTS.items())
        writer.publish()
    return folder


def prorank(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})


def measured(*arguments: str) -> dict[str, Any]:
    result = prorank("evaluate", *arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_json_is_one_object_with_both_stages() -> None:
    answer = measured("animals", "--index", "animals")
    assert list(answer) == [
        "collection",
        "split",
        "queries",
        "window_size",
        "model",
        "first_stage",
        "second_stage",
        "comparison",
        "took_ms",
    ]
    assert (answer["collection"], answer["split"], answer["queries"]) == ("animals", "test", 2)
    assert (answer["window_size"], answer["model"]) == (100, "overlap")
    assert answer["second_stage"] == {"ndcg@10": 0.5, "mrr@10": 0.5, "recall@100": 0.5}
    assert set(answer["comparison"]) == {"wins", "ties", "losses", "delta", "p_value", "ci95"}
    assert set(answer["took_ms"]) == {"first_stage", "rescore", "total"}


def test_without_rescoring_there_is_one_stage() -> None:
    answer = measured("animals", "--index", "animals", "--no-rescore")
    assert (answer["model"], answer["second_stage"], answer["comparison"]) == (None, None, None)


def test_the_table_shows_both_stages_and_says_what_the_difference_is_worth() -> None:
    shown = prorank("evaluate", "animals", "--index", "animals").stdout
    assert "animals test, 2 queries" in shown
    assert "second stage" in shown
    assert "the second stage is better on " in shown
    assert "95% interval" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "animals", "--index", "animals"],
        ["rescore", "no.run", "--queries", "no.tsv", "--corpus", "animals"],
    ],
)
def test_a_run_that_cannot_be_written_is_told_before_the_work(arguments: list[str]) -> None:
    result = prorank(*arguments, "--run-out", "nowhere/a.run")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "error: no run can be written to nowhere/a.run: No such file or directory\n"


def test_an_index_of_other_documents_is_told() -> None:
    with load_backend(load_settings()).writer("plants", analysis="english", replace=False) as writer:
        writer.add([Document("rose", "A grey goose is no rose.")])
        writer.publish()
    result = prorank("evaluate", "animals", "--index", "plants", "--no-rescore")
    assert "no query found a relevant document: do the index 'plants' and the judgments" in result.stderr
    Path("other.run").write_text("q1 Q0 rose 1 1.0 x\n")
    result = prorank("evaluate", "animals", "--index", "animals", "--run-in", "other.run")
    assert "no query found a relevant document: do the run and the judgments" in result.stderr


def test_a_sample_of_queries_can_be_measured() -> None:
    assert measured("animals", "--index", "animals", "--limit-queries", "1", "--seed", "7")["queries"] == 1


def test_a_written_run_measures_as_it_did() -> None:
    answer = measured("animals", "--index", "animals", "--run-out", "animals.run.gz")
    assert measured("animals", "--run-in", "animals.run.gz")["first_stage"] == answer["second_stage"]


def test_two_files_do_as_well_as_a_folder() -> None:
    Path("queries.tsv").write_text("1\tgrey goose\n")
    Path("qrels.txt").write_text("1 0 grey 1\n")
    answer = measured("--index", "animals", "--queries", "queries.tsv", "--qrels", "qrels.txt")
    assert (answer["collection"], answer["split"], answer["queries"]) == ("qrels.txt", None, 1)
    assert answer["second_stage"]["mrr@10"] == 1.0


def judge(prorank_home: Path) -> None:
    store = JudgmentStore(prorank_home / FILE_NAME)
    store.add_queries("mine", "animals", [Query("q1", "grey goose"), Query("q2", "red fox")])
    store.judge(Judgment("mine", "q1", "grey", "ada", 3), Judgment("mine", "q2", "fox", "a model", 3, origin="model"))
    store.close()


def test_a_query_set_of_the_judgment_store_is_measured_by_what_persons_judged(prorank_home: Path) -> None:
    judge(prorank_home)
    answer = measured("--query-set", "mine", "--measures", "map@100, judged@10")
    assert (answer["collection"], answer["split"], answer["queries"]) == ("mine", "persons", 1)
    assert answer["second_stage"] == {
        "ndcg@10": 1.0,
        "mrr@10": 1.0,
        "recall@100": 1.0,
        "map@100": 1.0,
        "judged@10": 0.5,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--query-set", "yours"], "there is no query set 'yours'; there are: mine"),
        (["animals", "--query-set", "mine"], "leave animals away"),
        (["--query-set", "mine", "--measures", "bleu@4"], "there is no measure 'bleu@4'"),
    ],
)
def test_a_query_set_that_cannot_be_measured_is_told(prorank_home: Path, arguments: list[str], message: str) -> None:
    judge(prorank_home)
    result = prorank("evaluate", *arguments)
    assert result.exit_code in {2, 3}
    assert message in result.stderr


def test_scores_are_kept_for_the_next_time_unless_told_otherwise(prorank_home: Path) -> None:
    measured("animals", "--index", "animals", "--no-cache")
    cache = prorank_home / "cache" / "scores.sqlite"
    assert not cache.exists()
    measured("animals", "--index", "animals")
    assert cache.exists()


@pytest.mark.parametrize(
    ("no_cache", "kept"),
    [([], "what was scored is kept, to go on"), (["--no-cache"], "without the cache nothing is kept, to begin again")],
)
def test_an_interrupted_evaluation_says_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, no_cache: list[str], kept: str
) -> None:
    def press_ctrl_c(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(OverlapRescorer, "score", press_ctrl_c)
    result = prorank("evaluate", "animals", "--index", "animals", *no_cache)
    assert (result.exit_code, result.stdout) == (130, "")
    assert f"\ninterrupted; {kept} type:\n  prorank" in result.stderr


def test_the_profile_of_the_index_counts() -> None:
    Path("prorank.toml").write_text('[profiles.animals]\nwindow_size = 1\ntemplate = "nothing"\n')
    answer = measured("animals", "--index", "animals")
    assert answer["window_size"] == 1
    assert answer["second_stage"] == answer["first_stage"]


@pytest.mark.parametrize("corpus", ["animals", "animals/corpus.jsonl"])
def test_a_run_is_rescored_and_written(corpus: str) -> None:
    Path("a.run").write_text("1 Q0 goose 1 2.0 bm25\n1 Q0 grey 2 1.0 bm25\n")
    arguments = ["--queries", "animals/queries.jsonl", "--corpus", corpus, "--run-out", "b.run", "--json"]
    result = prorank("rescore", "a.run", *arguments)
    assert json.loads(result.stdout) == {"queries": 1, "window_size": 100, "model": "overlap", "run_out": "b.run"}
    assert [line.split()[2] for line in Path("b.run").read_text().splitlines()] == ["grey", "goose"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["animals"], 2, "error: which index is to be measured?"),
        (["--index", "animals"], 2, "error: where are the judgments?"),
        (["--index", "animals", "--qrels", "qrels.txt"], 3, "qrels.txt cannot be read"),
        (["animals", "--index", "animals", "--split", "dev"], 3, "error: no split 'dev'"),
        (["animals", "--index", "nowhere"], 3, "error: no index 'nowhere'"),
        (["animals", "--run-in", "nowhere.run"], 3, "nowhere.run cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(arguments: list[str], exit_code: int, message: str) -> None:
    result = prorank("evaluate", *arguments)
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
