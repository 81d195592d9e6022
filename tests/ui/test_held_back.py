"""A new model beside another on held-back judgments: what is measured, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.evaluation.suite_file import Suite
from prorank_search.profiles import Profile
from prorank_search.settings import load_settings
from prorank_search.types import Blend
from prorank_ui.train import held_back
from prorank_ui.train.held_back import HeldBack, Pair

NAMES = ("BM25", "before", "after", "before alone", "after alone")


def data_left(folder: Path, *query_sets: str) -> Path:
    """Write what `prorank train data` holds back of query sets: three judged queries of each."""
    held = folder / "held-back"
    held.mkdir(parents=True)
    rows = []
    for name in query_sets:
        queries = [json.dumps({"_id": f"{name}{at}", "text": f"dog {at}"}) for at in range(3)]
        (held / f"{name}.queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
        qrels = "".join(f"{name}{at}\tdog\t1\n" for at in range(3))
        (held / f"{name}.qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}", encoding="utf-8")
        files = {"queries": f"{name}.queries.jsonl", "qrels": f"{name}.qrels.tsv"}
        rows.append({"query_set": name, "index": "animals"} | files)
    (held / "sets.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def results_left(folder: Path, better: int, queries: int = 12) -> Path:
    """Write a test's results, in which the new model is better on so many queries, and by its scores alone on none."""
    lines = []
    for at in range(queries):
        ndcg = {
            "BM25": 0.2,
            "before": 0.5,
            "after": 0.5 + 0.25 * (at < better),
            "before alone": 0.4,
            "after alone": 0.4,
        }
        values = {name: {"ndcg@10": ndcg[name]} for name in NAMES}
        lines.append({"collection": "zoo", "query_id": str(at), "query": f"dog {at}", "values": values, "unjudged": []})
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (folder / "results.json").write_text('{"suite": "held-back", "runs": [], "rescorers": []}', encoding="utf-8")
    return folder


def checkpoint_left(folder: Path, contract: str = "{}") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "prorank.json").write_text(contract, encoding="utf-8")
    return folder


@pytest.fixture
def zoo(tmp_path: Path) -> HeldBack:
    """Held-back queries of one set."""
    (of,) = held_back.held_back(data_left(tmp_path / "data", "zoo"))
    return of


def test_data_that_comes_from_no_judgments_of_here_holds_nothing_back(tmp_path: Path) -> None:
    assert held_back.held_back(tmp_path) == []


@pytest.mark.usefixtures("home")
def test_both_models_are_measured_as_they_search_and_alone_with_the_same_window(zoo: HeldBack, tmp_path: Path) -> None:
    assert (zoo.query_set, zoo.index, zoo.size) == ("zoo", "animals", 3)
    profile = Profile(blend=Blend("rrf"), instruction="dogs alone")
    settings = load_settings(window_size=7)
    suite = held_back.suite_of(zoo, Pair("7", tmp_path / "new", "old"), 2, settings, profile)
    assert Suite.model_validate_json(suite.model_dump_json(exclude_defaults=True)) == suite
    assert [(system.name, system.window_size) for system in suite.systems] == [
        ("BM25", None),
        *((name, 7) for name in NAMES[1:]),
    ]
    assert [system.blend for system in suite.systems[1:]] == [Blend("rrf")] * 2 + [Blend()] * 2
    assert [(one.model, one.instruction) for one in suite.rescorers.values()] == [
        ("old", "dogs alone"),
        (str(tmp_path / "new"), "dogs alone"),
    ]
    assert suite.limit_queries == 2


def test_a_test_says_whether_chance_explains_the_difference(tmp_path: Path) -> None:
    found = held_back.outcome(results_left(tmp_path, better=12))
    assert held_back.headline(found) == "Better on 12 held-back queries: nDCG@10 0.500 → 0.750"
    as_it_searches, alone = found.rows
    assert (as_it_searches.comparison.wins, alone.comparison.ties) == (12, 12)
    assert found.first_stage == pytest.approx(0.2)
    found = held_back.outcome(results_left(tmp_path, better=1))
    assert held_back.headline(found).startswith("No difference that chance does not explain on 12 held-back queries")


def test_the_table_has_the_interval_and_the_names_are_escaped(tmp_path: Path) -> None:
    drawn = held_back.outcome_table(held_back.outcome(results_left(tmp_path, better=12)), "<script>")
    assert "&lt;script&gt;" in drawn
    assert "<script>" not in drawn
    for cell in ("+0.250 to +0.250", "+0.250", "&lt; 0.001", ">12<"):
        assert cell in drawn


def test_results_of_something_else_are_no_test(tmp_path: Path) -> None:
    results_left(tmp_path, better=1)
    text = (tmp_path / "queries.jsonl").read_text(encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text(text.replace("after alone", "other"), encoding="utf-8")
    with pytest.raises(InputError, match="holds no test of two models: 'after alone' is missing"):
        held_back.outcome(tmp_path)


def test_another_export_into_the_same_folder_is_another_model(tmp_path: Path) -> None:
    pair = Pair("7", checkpoint_left(tmp_path / "new"), "old")
    before = pair.about()
    assert pair.about() == before
    checkpoint_left(tmp_path / "new", '{"name": "longer"}')
    assert pair.about() != before
