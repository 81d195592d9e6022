from __future__ import annotations

import json
from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.errors import ConfigError, InputError
from prorank_search.types import Document, Query
from prorank_training import data_folder
from prorank_training.collection import open_folder, open_index
from prorank_training.groups import DevQuery, Group
from prorank_training.recipe import CollectionRecipe, DataRecipe, IndexRecipe
from tests.training.tiny_training import write_beir

DOCUMENTS = {f"d{number}": f"the fox number {number} runs in field {number}" for number in range(30)}
QUERIES = {f"q{number}": f"where does fox number {number} run" for number in range(20)}


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """Queries 0-9 to train with, 10-14 for dev, 15-19 for test; 0 and 1 also stand in dev and test, in other words."""
    queries = QUERIES | {"q10": QUERIES["q0"].upper(), "q15": f" {QUERIES['q1']}  "}
    pairs = [(f"q{number}", f"d{number}") for number in range(20)]
    documents = DOCUMENTS | {"copy": f"{DOCUMENTS['d2']}!"}
    write_beir(
        tmp_path / "collections" / "Foxes",
        documents,
        queries,
        {"train": pairs[:10], "dev": pairs[10:15], "test": pairs[15:]},
    )
    return tmp_path / "collections"


def recipe(**changes: object) -> DataRecipe:
    folder = CollectionRecipe(folder="Foxes", analysis="english", language="en", groups=100)
    plan: dict[str, object] = {"hard_negatives": 4, "random_negatives": 2, "first_rank": 2, "last_rank": 12}
    return DataRecipe.model_validate(plan | {"collections": [folder]} | changes)


def make(collections: Path, folder: Path, wanted: DataRecipe) -> tuple[list[Group], list[DevQuery]]:
    rows(collections, folder, wanted)
    return data_folder.load("digest", folder)


def rows(collections: Path, folder: Path, wanted: DataRecipe) -> list[data_folder.Statistics]:
    backend = TantivyBackend(folder / "indexes")
    opened = [open_folder(folder_recipe, collections, backend) for folder_recipe in wanted.collections]
    return data_folder.make(wanted, "digest", opened, folder, lambda *_: None)


def doc_ids(group: Group) -> list[str]:
    return group.provenance[1:]


def test_groups_come_from_the_train_split_and_their_texts_from_the_corpus(collections: Path, tmp_path: Path) -> None:
    groups, _ = make(collections, tmp_path / "a", recipe())
    assert {group.query_id for group in groups} == {f"q{number}" for number in range(2, 10)}
    for group in groups:
        number = group.query_id[1:]
        assert (group.query, group.positive) == (QUERIES[group.query_id], DOCUMENTS[f"d{number}"])
        assert (group.collection, group.language, group.provenance[0]) == ("foxes", "en", f"d{number}")
        assert len(group.hard_negatives) == 4
        assert len(group.random_negatives) == 2
        texts = DOCUMENTS | {"copy": f"{DOCUMENTS['d2']}!"}
        assert [texts[doc_id] for doc_id in doc_ids(group)] == [*group.hard_negatives, *group.random_negatives]


def test_a_corpus_whose_texts_changed_is_indexed_anew(collections: Path, tmp_path: Path) -> None:
    backend, (folder,) = TantivyBackend(tmp_path / "indexes"), recipe().collections
    corpus, query = collections / "Foxes" / "corpus.jsonl", Query("1", "zebra")
    assert next(open_folder(folder, collections, backend).rankings([query], 5, own=set())).hits == ()
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("fox number 3 runs", "zebra runs"), encoding="utf-8")
    (ranking,) = open_folder(folder, collections, backend).rankings([query], 5, own=set())
    assert [hit.document.doc_id for hit in ranking.hits] == ["d3"]


def test_queries_that_stand_in_another_split_are_dropped_and_counted(collections: Path, tmp_path: Path) -> None:
    (row,) = rows(collections, tmp_path / "a", recipe())
    assert (row.groups, row.held_out, row.dev_queries) == (8, 2, 5)


def test_queries_of_one_text_become_one_group_that_knows_all_their_documents(collections: Path, tmp_path: Path) -> None:
    with (collections / "Foxes" / "queries.jsonl").open("a") as file:
        file.write(json.dumps({"_id": "again", "text": QUERIES["q5"].upper()}) + "\n")
    with (collections / "Foxes" / "qrels" / "train.tsv").open("a") as file:
        file.write("again\td6\t1\n")
    (row,) = rows(collections, tmp_path / "a", recipe(first_rank=1))
    assert (row.groups, row.duplicates) == (8, 1)
    groups, _ = data_folder.load("digest", tmp_path / "a")
    (group,) = [group for group in groups if group.query.casefold() == QUERIES["q5"]]
    assert group.provenance[0] in {"d5", "d6"}
    assert not {"d5", "d6"} & set(doc_ids(group))


def test_neither_the_positive_nor_a_copy_of_it_is_a_negative(collections: Path, tmp_path: Path) -> None:
    groups, _ = make(collections, tmp_path / "a", recipe(first_rank=1))
    by_query = {group.query_id: group for group in groups}
    assert "copy" not in doc_ids(by_query["q2"])[:4]
    assert all(group.provenance[0] not in doc_ids(group) for group in groups)


def test_the_same_seed_makes_the_same_data(collections: Path, tmp_path: Path) -> None:
    made = [make(collections, tmp_path / name, recipe()) for name in ("a", "b")]
    assert made[0] == made[1]
    assert made[0] != make(collections, tmp_path / "c", recipe(seed=2))


def test_dev_queries_keep_the_first_stages_order_and_all_judgments(collections: Path, tmp_path: Path) -> None:
    _, dev = make(collections, tmp_path / "a", recipe(dev_window=7, dev_queries=3))
    assert len(dev) == 3
    for query in dev:
        assert query.first_stage_scores == sorted(query.first_stage_scores, reverse=True)
        assert len(query.texts) == len(query.relevances) == 7
        assert query.ideal == [1]


def test_a_querys_own_document_is_left_out_unless_it_was_judged_relevant(tmp_path: Path) -> None:
    queries = {f"d{number}": QUERIES[f"q{number}"] for number in range(8)}
    elsewhere = [(f"d{number}", f"d{number + 10}") for number in range(6)]
    splits = {"train": elsewhere[:3], "dev": [*elsewhere[3:], ("d6", "d6"), ("d7", "d7")]}
    write_beir(tmp_path / "Foxes", DOCUMENTS, queries, splits)
    groups, dev = make(tmp_path, tmp_path / "a", recipe(first_rank=1))
    assert len(groups) == 3
    assert all(group.query_id not in doc_ids(group)[:4] for group in groups)
    first = {query.query: query.texts[0] == DOCUMENTS[f"d{query.query.split()[4]}"] for query in dev}
    assert first == {QUERIES[f"q{number}"]: number > 5 for number in range(3, 8)}
    assert all(query.relevances[0] for query in dev if first[query.query])


def test_dev_queries_without_a_single_relevant_hit_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    splits = {"train": [("q1", "d1")], "dev": [("q2", "elsewhere"), ("q3", "elsewhere")]}
    write_beir(tmp_path / "Foxes", DOCUMENTS | {"elsewhere": "a zebra"}, QUERIES, splits)
    with pytest.raises(InputError, match="no relevant document of any of the 2 dev queries"):
        make(tmp_path, tmp_path / "a", recipe())


def test_data_without_dev_queries_is_refused_before_anything_is_trained(collections: Path, tmp_path: Path) -> None:
    (collections / "Foxes" / "qrels" / "dev.tsv").unlink()
    with pytest.raises(InputError, match=r"any of the 0 dev queries.*give a source a split 'dev'"):
        make(collections, tmp_path / "a", recipe())


def test_a_query_that_another_collection_holds_back_is_dropped_and_counted(collections: Path, tmp_path: Path) -> None:
    write_beir(collections / "More", DOCUMENTS, {"m": QUERIES["q3"].upper()}, {"dev": [("m", "d3")]})
    more = CollectionRecipe(folder="More", analysis="english", language="en", groups=0)
    (foxes, _) = rows(collections, tmp_path / "a", recipe(collections=[*recipe().collections, more]))
    assert (foxes.groups, foxes.held_out) == (7, 3)
    groups, _ = data_folder.load("digest", tmp_path / "a")
    assert "q3" not in {group.query_id for group in groups}


def test_a_negative_grade_is_not_relevant(collections: Path, tmp_path: Path) -> None:
    with (collections / "Foxes" / "qrels" / "dev.tsv").open("a") as file:
        file.write("q10\td1\t-2\nq9\td1\t-1\n")
    _, dev = make(collections, tmp_path / "a", recipe())
    assert len(dev) == 5
    assert all(grade in {0, 1} for query in dev for grade in (*query.relevances, *query.ideal))


def test_a_collection_may_be_there_for_dev_alone(collections: Path, tmp_path: Path) -> None:
    (collections / "Foxes" / "qrels" / "train.tsv").unlink()
    only_dev = CollectionRecipe(folder="Foxes", analysis="english", language="en", groups=0)
    groups, dev = make(collections, tmp_path / "a", recipe(collections=[only_dev]))
    assert (groups, len(dev)) == ([], 5)


def test_a_missing_train_split_is_named(collections: Path, tmp_path: Path) -> None:
    (collections / "Foxes" / "qrels" / "train.tsv").unlink()
    with pytest.raises(InputError, match=r"no split 'train' in .*Foxes: its qrels folder has dev, test"):
        make(collections, tmp_path / "a", recipe())


def test_a_recipe_without_any_source_is_refused(collections: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names neither collections, nor indexes, nor judgments"):
        rows(collections, tmp_path / "a", recipe(collections=[]))


def test_ranks_between_which_there_is_no_hit_are_refused() -> None:
    with pytest.raises(ValueError, match="last_rank=3 is a better rank than first_rank=9"):
        recipe(first_rank=9, last_rank=3)


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*Foxes"):
        make(tmp_path / "nowhere", tmp_path / "a", recipe())


def test_a_judged_query_without_text_is_named(collections: Path, tmp_path: Path) -> None:
    with (collections / "Foxes" / "qrels" / "train.tsv").open("a") as file:
        file.write("q99\td1\t1\n")
    with pytest.raises(InputError, match=r"name the query 'q99', which the queries lack"):
        make(collections, tmp_path / "a", recipe())


def test_data_of_another_recipe_is_refused(collections: Path, tmp_path: Path) -> None:
    make(collections, tmp_path / "a", recipe())
    with pytest.raises(ConfigError, match=r"holds the data of another recipe .*--data"):
        data_folder.load("another", tmp_path / "a")


def test_data_that_was_never_made_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make it with `prorank train data`"):
        data_folder.load("digest", tmp_path)


@pytest.fixture
def titled(tmp_path: Path) -> Path:
    """Twenty titled documents; a judgment for dev names d3, one for test d4, and the title of d5 is a test query."""
    documents = {f"d{number}": f"the fox number {number} runs in field {number}" for number in range(20)}
    queries = {"dev": "where runs number 3", "test": "whence", "title": "About  Fox 5"}
    qrels = {"train": [], "dev": [("dev", "d3")], "test": [("test", "d4"), ("title", "d9")]}
    folder = write_beir(tmp_path / "collections" / "Foxes", documents, queries, qrels)
    lines = [
        json.dumps({"_id": doc_id, "title": f"about fox {doc_id[1:]}", "text": text})
        for doc_id, text in documents.items()
    ]
    (folder / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "collections"


def test_titles_are_queries_whose_documents_are_seen_without_them(titled: Path, tmp_path: Path) -> None:
    wanted = CollectionRecipe(folder="Foxes", analysis="english", language="en", groups=0, titles=100)
    groups, _ = make(titled, tmp_path / "a", recipe(collections=[wanted]))
    assert {group.query_id for group in groups} == {f"d{number}" for number in range(20) if number not in {3, 4, 5, 9}}
    for group in groups:
        assert (group.collection, group.query) == ("foxes-titles", f"about fox {group.query_id[1:]}")
        assert group.provenance[0] == group.query_id
        assert "about" not in " ".join([group.positive, *group.hard_negatives, *group.random_negatives])


def test_as_many_titles_are_taken_as_wanted_and_counted_apart(titled: Path, tmp_path: Path) -> None:
    wanted = CollectionRecipe(folder="Foxes", analysis="english", language="en", groups=0, titles=7)
    made = rows(titled, tmp_path / "a", recipe(collections=[wanted]))
    assert [(row.collection, row.groups, row.dev_queries) for row in made] == [("foxes", 0, 1), ("foxes-titles", 7, 0)]


def test_first_halves_are_queries_among_second_halves(tmp_path: Path) -> None:
    first = "The fox number {0} sleeps in the den that it dug beside the old field number {0}."
    documents = {f"d{at}": f"{first.format(at)} It wakes at hour {at}, and runs." for at in range(20)}
    documents |= {
        "short": "Foxes. They run.",
        "one": "A single sentence of a length that could be parted, but has no end inside.",
    }
    folder = write_beir(
        tmp_path / "collections" / "Foxes",
        documents,
        {"t": "where", "d": "fox number 4"},
        {"test": [("t", "d4")], "dev": [("d", "d4")], "train": []},
    )
    wanted = CollectionRecipe(folder=folder.name, analysis="english", language="en", groups=0, halves=100)
    groups, _ = make(folder.parent, tmp_path / "a", recipe(collections=[wanted]))
    assert {group.query_id for group in groups} == {f"d{at}" for at in range(20) if at != 4}
    for group in groups:
        number = group.query_id[1:]
        assert (group.collection, group.query) == ("foxes-halves", first.format(number))
        assert group.positive == f"It wakes at hour {number}, and runs."
        assert "sleeps" not in " ".join([*group.hard_negatives, *group.random_negatives])


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, TantivyBackend]:
    """An index, and files of queries and judgments."""
    backend = TantivyBackend(tmp_path / "indexes")
    with backend.writer("field-guide", analysis="english", replace=True) as writer:
        writer.add(Document(doc_id, text) for doc_id, text in DOCUMENTS.items())
        writer.publish()
    (tmp_path / "queries.tsv").write_text("".join(f"{key}\t{text}\n" for key, text in QUERIES.items()))
    (tmp_path / "mine.qrels").write_text("".join(f"q{number} 0 d{number} 1\n" for number in range(12)))
    (tmp_path / "dev.qrels").write_text("".join(f"q{number} 0 d{number} 1\n" for number in range(10, 15)))
    return tmp_path, backend


def index_recipe(**changes: object) -> IndexRecipe:
    plan = {"index": "field-guide", "queries": "queries.tsv", "qrels": "mine.qrels", "language": "en", "groups": 100}
    return IndexRecipe.model_validate(plan | changes)


def test_an_index_and_files_of_judgments_do_as_well_as_a_folder(judged: tuple[Path, TantivyBackend]) -> None:
    folder, backend = judged
    opened = open_index(index_recipe(dev_qrels="dev.qrels"), folder, backend)
    (row,) = data_folder.make(recipe(), "digest", [opened], folder / "a", lambda *_: None)
    assert (row.collection, row.groups, row.held_out, row.dev_queries) == ("field-guide", 10, 2, 5)
    groups, dev = data_folder.load("digest", folder / "a")
    assert {group.query_id for group in groups} == {f"q{number}" for number in range(10)}
    assert all(len(group.hard_negatives) == 4 for group in groups)
    assert len(dev) == 5


def test_a_test_split_is_never_trained_on(judged: tuple[Path, TantivyBackend]) -> None:
    folder, backend = judged
    with pytest.raises(ConfigError, match=r"test\.tsv holds a test split, which training never reads"):
        open_index(index_recipe(qrels="qrels/test.tsv"), folder, backend)


def test_an_index_that_is_not_there_is_named(judged: tuple[Path, TantivyBackend]) -> None:
    folder, backend = judged
    with pytest.raises(InputError, match="nowhere"):
        open_index(index_recipe(index="nowhere"), folder, backend)
