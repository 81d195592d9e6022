"""Judgments of this installation as training groups, and the recipe that a command is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.cli import app
from prorank_search.errors import ConfigError, InputError
from prorank_search.judgments import FILE_NAME, Judgment, JudgmentStore
from prorank_search.qrels_files import read_qrels
from prorank_search.query_files import read_queries
from prorank_search.settings import load_settings
from prorank_search.types import Document, Query, RescorerInfo, Scored, ScoreRequest
from prorank_training import data_folder, sources
from prorank_training.groups import Group, read_dev, read_groups
from prorank_training.judged_collection import held_back
from prorank_training.recipe import DataRecipe, JudgmentRecipe
from prorank_training.recipe_choice import choose
from prorank_training.sources import open_all
from tests.tiny_model import write_model
from tests.training.tiny_training import ANIMALS

QUERIES = 12


@pytest.fixture
def store(prorank_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JudgmentStore:
    """An index of animals, and judgments of queries for it: field 0 is right, field 1 marginal, field 2 wrong."""
    monkeypatch.chdir(tmp_path)
    with TantivyBackend(prorank_home / "indexes").writer("fields", analysis="english", replace=True) as writer:
        writer.add(Document(f"{name}{n}", f"the {name} swims in field {n}") for name in ANIMALS for n in range(4))
        writer.publish()
    store = JudgmentStore(prorank_home / FILE_NAME)
    asked = [(f"{name}-{way}", name, f"{way} is the {name}") for name in ANIMALS for way in ("where", "how")]
    store.add_queries("handbook", "fields", [Query(query_id, text) for query_id, _, text in asked])
    for query_id, name, _ in asked:
        for doc_id, grade in ((f"{name}0", 2), (f"{name}1", 1), (f"{name}2", 0), ("gone", 0)):
            store.judge(Judgment("handbook", query_id, doc_id, "ada", grade))
    store.judge(Judgment("handbook", "fox-how", "fox3", "a model", 0, origin="model"))
    return store


def made(folder: Path, *, seed: int = 1, **wanted: object) -> tuple[data_folder.Statistics, list[Group]]:
    recipe = DataRecipe(
        judgments=[JudgmentRecipe.model_validate({"query_set": "handbook", "relevant_from": 2} | wanted)],
        hard_negatives=3,
        random_negatives=2,
        seed=seed,
    )
    sources = open_all(recipe, folder, load_settings())
    (row,) = data_folder.make(recipe, "digest", sources, folder, lambda *_: None)
    return row, read_groups(folder / data_folder.GROUPS_FILE)


@pytest.mark.usefixtures("store")
def test_judged_documents_become_positives_and_the_first_hard_negatives(tmp_path: Path) -> None:
    row, groups = made(tmp_path / "data")
    assert (row.collection, row.groups, row.missing, row.judged_negatives) == ("handbook", len(groups), len(groups), 1)
    for group in groups:
        name = group.query_id.partition("-")[0]
        assert group.positive == f"the {name} swims in field 0"
        assert group.hard_negatives[0] == f"the {name} swims in field 2"
        assert f"{name}1" not in group.provenance


@pytest.mark.usefixtures("store")
def test_queries_are_parted_by_their_text_and_the_held_back_ones_can_be_evaluated(tmp_path: Path) -> None:
    row, groups = made(tmp_path / "data", held_back=0.4)
    dev = {query.query for query in read_dev(tmp_path / "data" / data_folder.DEV_FILE)}
    assert 0 < row.dev_queries == len(dev)
    assert len(dev) + len(groups) == QUERIES
    assert dev.isdisjoint({group.query for group in groups})
    held = tmp_path / "data" / "held-back"
    queries = read_queries(held / "handbook.queries.jsonl")
    assert {query.text for query in queries.values()} == dev
    assert {qrel.query_id for qrel in read_qrels(held / "handbook.qrels.tsv")} == set(queries)
    files = {"queries": "handbook.queries.jsonl", "qrels": "handbook.qrels.tsv"}
    assert json.loads((held / "sets.json").read_text()) == [{"query_set": "handbook", "index": "fields"} | files]


def test_query_sets_whose_names_give_the_same_file_name_have_files_of_their_own(
    store: JudgmentStore, tmp_path: Path
) -> None:
    recipes = []
    for name in ("a b", "a/b"):
        store.add_queries(name, "fields", [Query(f"{name} {way}", f"{way} swims {name}") for way in ("who", "how")])
        store.judge(*(Judgment(name, f"{name} {way}", "fox0", "ada", 1) for way in ("who", "how")))
        recipes.append(JudgmentRecipe(query_set=name))
    recipe = DataRecipe(judgments=recipes)
    data_folder.make(recipe, "digest", open_all(recipe, tmp_path, load_settings()), tmp_path / "d", lambda *_: None)
    held = tmp_path / "d" / "held-back"
    rows = json.loads((held / "sets.json").read_text())
    assert [row["query_set"] for row in rows] == ["a b", "a/b"]
    for row in rows:
        assert all(query_id.startswith(row["query_set"]) for query_id in read_queries(held / row["queries"]))


@pytest.mark.usefixtures("store")
def test_the_same_judgments_give_the_same_groups(tmp_path: Path) -> None:
    assert made(tmp_path / "one") == made(tmp_path / "two")
    assert made(tmp_path / "one")[1] != made(tmp_path / "three", seed=2)[1]


def test_a_query_stays_on_its_side_when_others_are_judged_later() -> None:
    queries = [Query(str(number), f"question {number}") for number in range(200)]
    assert held_back(queries[:40], 0.3) == held_back(queries, 0.3) & {query.query_id for query in queries[:40]}
    assert held_back([Query("1", "A  fox"), Query("2", "hen")], 0.99) != {"1", "2"}
    assert len(held_back([Query("1", "A  fox"), Query("2", "hen")], 0.01)) == 1
    upper = held_back([Query(query.query_id, query.text.upper()) for query in queries], 0.3)
    assert upper == held_back(queries, 0.3)


def test_the_worst_mistake_of_a_rescorer_comes_first(store: JudgmentStore, tmp_path: Path) -> None:
    query = store.queries("handbook")["fox-where"]
    for doc_id in ("fox2", "fox3", "whale2"):
        store.judge(Judgment("handbook", query.query_id, doc_id, "ada", 0))
    store.add_queries("handbook", "fields", [Query("exact", "whale swims field 3")])
    for doc_id, grade in (("whale0", 2), ("fox3", 0), ("whale3", 0)):
        store.judge(Judgment("handbook", "exact", doc_id, "ada", grade))
    row, groups = made(tmp_path / "data", mistakes_of="overlap", held_back=0.01)
    (exact,) = [group for group in groups if group.query_id == "exact"]
    assert exact.provenance[1] == "whale3"
    assert row.misplaced >= 1


class Sifting:
    """A second stage that leaves foxes out, as a chain does, and finds nothing else relevant."""

    revision = "1"
    info = RescorerInfo(model="sifting")

    def score(self, request: ScoreRequest) -> list[Scored]:
        return [Scored(None, left_out=True) if "fox" in text else Scored(-2.0) for text in request.texts]


def test_what_a_rescorer_leaves_out_is_no_mistake_of_it(
    store: JudgmentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "open_named", lambda *_: Sifting())
    store.add_queries("handbook", "fields", [Query("exact", "whale swims field 3")])
    for doc_id, grade in (("whale0", 2), ("fox3", 0), ("whale3", 0)):
        store.judge(Judgment("handbook", "exact", doc_id, "ada", grade))
    _, groups = made(tmp_path / "data", mistakes_of="sifting", held_back=0.01)
    (exact,) = [group for group in groups if group.query_id == "exact"]
    assert exact.provenance[1] == "whale3"


def test_a_set_without_judgments_says_what_is_missing(store: JudgmentStore, tmp_path: Path) -> None:
    store.add_queries("empty", "fields", [Query("1", "fox")])
    with pytest.raises(InputError, match="'empty' has 0 queries with a document"):
        made(tmp_path / "data", query_set="empty")
    with pytest.raises(InputError, match="there is no query set 'nowhere'"):
        made(tmp_path / "data", query_set="nowhere")


RECIPE = """# A tiny one.
base = "tiny"
max_length_tokens = 128
query_max_tokens = 24
[data]
hard_negatives = 3
random_negatives = 2
[score]
steps = 4
document_tokens = { "32" = 1.0 }
[export]
form = "4-bit"
"""


@pytest.fixture
def own_recipe(store: JudgmentStore, prorank_home: Path) -> str:  # noqa: ARG001 (what it is trained on)
    """The name of a recipe in the home, whose base is there."""
    write_model(prorank_home / "models" / "tiny")
    (prorank_home / "recipes").mkdir()
    (prorank_home / "recipes" / "mine.toml").write_text(RECIPE, encoding="utf-8")
    return "mine"


def prorank(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", *map(str, arguments)])
    return result.exit_code, result.stdout if result.exit_code == 0 else result.stderr


def test_the_commands_train_on_judgments_and_go_on_in_the_runs_folder(own_recipe: str, tmp_path: Path) -> None:
    code, said = prorank("data", own_recipe, "--judgments", "handbook", "--set", "score.steps=2", "--run", "run")
    assert code == 0, said
    assert said.splitlines()[0].split()[-3:] == ["judged_negatives", "misplaced", "missing"]
    code, said = prorank("score", "run", "--device", "cpu", "--json")
    assert code == 0, said
    assert json.loads(said)["step"] == 2
    assert not (tmp_path / "runs").exists()
    code, said = prorank("score", own_recipe, "--run", "run")
    assert (code, "a run of another recipe" in said) == (2, True)


def test_recipes_are_listed_the_homes_before_those_of_the_package(own_recipe: str, prorank_home: Path) -> None:
    (prorank_home / "recipes" / "cpu.toml").write_text(RECIPE, encoding="utf-8")
    code, said = prorank("recipes", "--json")
    assert code == 0, said
    listed = {row["name"]: row for row in json.loads(said)}
    assert {own_recipe, "judgments", "gpu"} < listed.keys()
    assert (listed["cpu"]["base"], listed["mine"]["about"], listed["mine"]["steps"]) == ("tiny", "A tiny one.", 4)
    assert listed["judgments"]["base"] == "prorank-smollm2-135m"


def test_a_recipe_is_changed_by_keys_and_a_wrong_one_is_told(own_recipe: str, prorank_home: Path) -> None:
    changes = ["score.steps=9", "base=other", 'data.judgments=[{ query_set = "a b", held_back = 0.5 }]']
    recipe = choose(Path(own_recipe), prorank_home, None, ["more"], changes).recipe
    assert choose(Path("cpu"), prorank_home, None).recipe.teacher is not None
    assert choose(Path("cpu"), prorank_home, None, [], ["teacher=none"]).recipe.teacher is None
    assert (recipe.score.steps, recipe.base, recipe.score.document_tokens) == (9, "other", {"32": 1.0})
    assert [row.query_set for row in recipe.data.judgments or []] == ["a b", "more"]
    for wrong, said in (("score", "KEY=VALUE is wanted"), ("a b=1", "no key of a recipe"), ("score.stepps=1", "Extra")):
        with pytest.raises(ConfigError, match=said):
            choose(Path(own_recipe), prorank_home, None, [], [wrong])
    with pytest.raises(ConfigError, match=r"no recipe 'nowhere': there is no such file, and known are .*gpu"):
        choose(Path("nowhere"), prorank_home, None)
