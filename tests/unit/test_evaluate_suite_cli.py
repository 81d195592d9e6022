"""`prorank evaluate-suite` from a file to a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from prorank_search.cli import app
from prorank_search.cli.text_progress import TimeLeft
from prorank_search.errors import InputError
from prorank_search.evaluation.suite_output import read_results
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.search import load_backend
from prorank_search.settings import load_settings
from prorank_search.types import Document, Query

TEXTS = {"goose": "goose goose goose", "grey": "a grey goose in the reeds", "walk": "a goose walk", "fox": "a red fox"}

SUITE = """
name = "small"
title = "A small suite"
window_size = 3
windows = [1, 2]
split = "dev"
[rescorers.words]
rescorer = "overlap"
[[collections]]
folder = "animals"
language = "english"
analysis = "english"
[[systems]]
name = "BM25"
[[systems]]
name = "words"
rescorers = ["words"]
blend = { score_mode = "replace" }
metrics = "answers.json"
"""


@pytest.fixture(autouse=True)
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite over one collection in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "collections" / "animals"
    (folder / "qrels").mkdir(parents=True)
    lines = [json.dumps({"_id": doc_id, "text": text}) for doc_id, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(lines))
    queries = [{"_id": "1", "text": "goose grey reeds"}, {"_id": "2", "text": "goose"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    for split in ("dev", "test"):
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n1\tgrey\t1\n2\twalk\t1\n")
    Path("answers.json").write_text('{"mass": 0.98, "auc": 0.75}')
    path = tmp_path / "small.toml"
    path.write_text(SUITE)
    return path


def prorank(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evaluate-suite", *arguments], env={"COLUMNS": "200"})


def answered(*arguments: str) -> dict[str, Any]:
    result = prorank(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_json_has_a_run_for_each_system_and_collection() -> None:
    answer = answered("small.toml")
    assert [(run["system"], run["collection"], run["queries"]) for run in answer["runs"]] == [
        ("BM25", "animals", 2),
        ("words", "animals", 2),
    ]
    assert [point["window_size"] for point in answer["runs"][1]["sweep"]] == [1, 2, 3]


QUERY_SET = """
name = "judged"
title = "What we judged"
windows = [1]
measures = ["map@100", "judged@10"]
[rescorers.words]
rescorer = "overlap"
[[collections]]
query_set = "mine"
language = "all"
[[systems]]
name = "BM25"
[[systems]]
name = "words, 2"
rescorers = ["words"]
window_size = 2
blend = { score_mode = "replace" }
[[systems]]
name = "words, 3"
rescorers = ["words"]
window_size = 3
blend = { score_mode = "replace" }
"""


@pytest.fixture
def query_set(prorank_home: Path) -> str:
    """A file of a suite over a query set."""
    with load_backend(load_settings()).writer("birds", analysis="english", replace=False) as writer:
        writer.add(Document(doc_id, text) for doc_id, text in TEXTS.items())
        writer.publish()
    store = JudgmentStore(prorank_home / FILE_NAME)
    store.add_queries("mine", "birds", [Query("1", "goose grey reeds"), Query("2", "goose"), Query("3", "unjudged")])
    store.judge(Judgment("mine", "1", "grey", "ada", 2), Judgment("mine", "2", "walk", "ada", 1))
    store.close()
    Path("judged.toml").write_text(QUERY_SET)
    return "judged.toml"


def test_a_query_set_is_measured_with_each_systems_own_window(query_set: str) -> None:
    runs = answered(query_set)["runs"]
    assert [(run["collection"], run["split"], run["queries"]) for run in runs] == [("mine", "persons", 2)] * 3
    assert [[point["window_size"] for point in run["sweep"]] for run in runs] == [[], [1, 2], [1, 3]]
    assert [run["texts_a_query"] for run in runs] == [{}, {"words": 2}, {"words": 3}]
    assert "map@100" in runs[2]["second_stage"]


def test_files_of_queries_and_judgments_are_measured_on_an_index(query_set: str, tmp_path: Path) -> None:
    (tmp_path / "some.queries.jsonl").write_text('{"_id": "1", "text": "goose grey reeds"}\n')
    (tmp_path / "some.qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\tgrey\t2\n")
    files = f'queries = "{tmp_path}/some.queries.jsonl"\nqrels = "../some.qrels.tsv"'
    Path(query_set).write_text(QUERY_SET.replace('query_set = "mine"', f'{files}\nindex = "birds"'))
    runs = answered(query_set)["runs"]
    assert [(run["collection"], run["split"], run["queries"]) for run in runs] == [("some", "some.qrels.tsv", 1)] * 3
    (tmp_path / "some.qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\tgrey\t0\n")
    assert "no query of collections/../some.qrels.tsv has a relevant document" in prorank(query_set).output


def test_the_results_are_written_with_a_line_for_each_query(query_set: str) -> None:
    answer = answered(query_set, "--out", "results")
    results = read_results(Path("results"))
    assert results.runs == answer["runs"]
    first, second = results.queries
    assert (first.query_id, first.query, second.unjudged) == ("1", "goose grey reeds", ["goose", "grey"])
    assert first.values["words, 3"]["judged@10"] == pytest.approx(1 / 3)
    of_system = [one.values["words, 3"]["ndcg@10"] for one in results.queries]
    assert sum(of_system) / 2 == pytest.approx(answer["runs"][2]["second_stage"]["ndcg@10"])
    assert json.loads(Path("results/progress.json").read_text())["done"] == 6


def test_results_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no results"):
        read_results(tmp_path)


def test_the_table_says_what_the_marks_mean_and_whose_figures_mean_nothing() -> None:
    result = prorank("small.toml")
    assert "mean, english (1)" in result.stdout
    assert "better than the first stage" in result.stdout
    assert "the figures of 'words' say nothing about ProRank" in result.stderr


def test_scores_are_kept_for_the_next_time(prorank_home: Path) -> None:
    answered("small.toml", "--no-cache")
    assert not (prorank_home / "cache" / "scores.sqlite").exists()
    answered("small.toml")
    assert (prorank_home / "cache" / "scores.sqlite").exists()


def test_the_suites_own_index_is_none_that_a_user_searches(prorank_home: Path) -> None:
    answered("small.toml")
    assert not (prorank_home / "indexes").exists()
    assert len(list((prorank_home / "evaluation" / "indexes").glob("corpus-english-*"))) == 1


def test_an_index_of_the_users_own_is_searched_as_its_profile_says(suite: Path) -> None:
    with load_backend(load_settings()).writer("mine", analysis="english", replace=False) as writer:
        writer.add(Document(doc_id, text) for doc_id, text in TEXTS.items())
        writer.publish()
    Path("prorank.toml").write_text('[profiles.mine]\ntemplate = "the same for all"\n')
    suite.write_text(SUITE.replace('analysis = "english"', 'index = "mine"'))
    before, after = answered("small.toml")["runs"]
    assert after["second_stage"] == before["first_stage"]


def test_the_page_has_tables_pictures_and_the_answers(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert prorank("small.toml", "--report", "results.md").exit_code == 0
    page = Path("results.md").read_text()
    assert "## A small suite" in page
    assert "| words | words alone |" in page
    assert '| system | P("0") + P("1") | AUC | mean ndcg@10 | mean mrr@10 |' in page
    assert "| words | 0.980 | 0.750 |" in page
    assert "prorank evaluate-suite small.toml --collections DIR --report results.md" in page
    assert str(tmp_path) not in page
    assert sorted(path.name for path in Path("images").iterdir()) == [
        "results-small-collections.png",
        "results-small-windows.png",
    ]


def test_a_second_report_replaces_its_own_section_only() -> None:
    pytest.importorskip("matplotlib")
    Path("other.toml").write_text(SUITE.replace('"small"', '"other"').replace("A small suite", "Another suite"))
    for file in ("small.toml", "other.toml", "small.toml"):
        assert prorank(file, "--report", "results.md").exit_code == 0
    page = Path("results.md").read_text()
    assert (page.count("## A small suite"), page.count("## Another suite")) == (1, 1)
    assert page.index("## A small suite") < page.index("## Another suite")


def test_a_blend_is_chosen_on_dev() -> None:
    answer = answered("small.toml", "--choose-blend", "words")
    assert (answer["system"], list(answer["first_stage"])) == ("words", ["animals"])
    best = answer["tried"][0]
    assert best["ndcg@10"] == max(one["ndcg@10"] for one in answer["tried"])
    assert set(best) == {"blend", "normalize", "weights", "ndcg@10", "collections", "losses"}


def test_the_choice_is_shown_with_the_first_stage_beside_it() -> None:
    lines = prorank("small.toml", "--choose-blend", "words").stdout.splitlines()
    assert lines[2].split() == ["blend", "mean", "animals"]
    assert lines[-1].startswith("first stage")


@pytest.mark.parametrize(
    ("old", "new", "arguments", "exit_code", "message"),
    [
        ('"dev"', '"test"', ["--choose-blend", "words"], 2, "never on what is reported: animals (test)"),
        ("", "", ["--choose-blend", "BM25"], 2, "there is nothing to blend"),
        ("", "", ["--choose-blend", "nobody"], 2, "no system 'nobody'; there are BM25, words"),
        ("", "", ["--choose-blend", "words", "--report", "a.md"], 2, "give one or the other"),
        ("", "", ["--report", "small.toml"], 2, "small.toml was not written by this command"),
        ("", "", ["--report", "nowhere/a.md"], 3, "the folder nowhere does not exist"),
        ('"animals"', '"plants"', [], 3, "no folder collections/plants"),
        ('"dev"', '"train"', [], 3, "no split 'train'"),
        ('analysis = "english"', 'index = "nowhere"', [], 3, "no index 'nowhere'"),
        ('"overlap"', '"nobody"', [], 2, "no plugin 'nobody'"),
        ('"answers.json"', '"small.toml"', [], 3, "the metrics small.toml cannot be read"),
        ('"answers.json"', '"no.json"', [], 3, "the metrics no.json cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line_before_the_work(
    suite: Path, old: str, new: str, arguments: list[str], exit_code: int, message: str
) -> None:
    suite.write_text(SUITE.replace(old, new, 1))
    result = prorank("small.toml", *arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_answers_are_read_from_the_step_that_was_asked_for(suite: Path) -> None:
    pytest.importorskip("matplotlib")
    lines = [{"step": 0, "probe": {"mass": 0.02}}, {"step": 5, "loss": 1.0}, {"step": 9, "probe": {"mass": 0.99}}]
    Path("run.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for step, mass in (("", "0.990"), ("metrics_step = 0", "0.020")):
        suite.write_text(SUITE.replace('metrics = "answers.json"', f'metrics = "run.jsonl"\n{step}'))
        assert prorank("small.toml", "--report", "results.md").exit_code == 0
        assert f"| words | {mass} |" in Path("results.md").read_text()


def test_the_time_left_is_that_of_the_last_minutes() -> None:
    seconds = iter([0.0, 1.0, 1000.0, 1010.0])
    left = TimeLeft(lambda: next(seconds))
    assert left(0, 1000) == "unknown time"
    assert left(500, 1000) == "0:00:01"
    left(500, 1000)
    assert left(510, 1000) == "0:08:10"
