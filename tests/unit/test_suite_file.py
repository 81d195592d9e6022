"""Suites as files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.errors import ConfigError
from prorank_search.evaluation.suite_file import Suite, read_suite

SMALL = """
name = "small"
title = "Small"
[rescorers.words]
rescorer = "overlap"
models = { chinese = "zh" }
model = "en"
[[collections]]
folder = "some/animals"
language = "english"
[[systems]]
name = "words"
rescorers = ["words"]
"""


def read(tmp_path: Path, text: str) -> Suite:
    path = tmp_path / "small.toml"
    path.write_text(text)
    return read_suite(path)


def test_what_is_left_out_is_what_the_suite_says(tmp_path: Path) -> None:
    suite = read(tmp_path, SMALL.replace('title = "Small"', 'title = "Small"\nsplit = "dev"\nwindow_size = 7'))
    (collection,) = suite.collections
    assert (collection.name, suite.split_of(collection), suite.window_of(collection)) == ("animals", "dev", 7)


def test_a_language_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    rescorer = read(tmp_path, SMALL).rescorers["words"]
    assert (rescorer.model_for("english"), rescorer.model_for("chinese")) == ("en", "zh")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('rescorers = ["words"]', 'rescorers = ["wrods"]', r"names the rescorer 'wrods', which \[rescorers\] lacks"),
        ('rescorers = ["words"]', 'blend = { score_mode = "rrf" }', "`blend` is for one rescorer"),
        ('["words"]', '["words"]\nweights = { bge = 1.0 }', "system 'words' weighs bge, which it does not use"),
        ('["words"]', '["words"]\nblend = { scor_mode = "rrf" }', "did you mean 'score_mode'"),
        ('["words"]', '["words"]\nwindow = 3', "systems.0.window: Extra inputs"),
        ('title = "Small"', 'title = "Small"\nrival = "BM25"', "no system 'BM25'; there are words"),
        ('language = "english"', 'language = "english"\napart = true', "every collection stands apart"),
        ("[[systems]]", '[[systems]]\nname = "words"\n[[systems]]', "several are called words"),
        ("[rescorers.words]", '[rescorers.first_stage]\nrescorer = "overlap"\n[rescorers.words]', "that is BM25's"),
        ('folder = "', 'query_set = "mine"\nfolder = "', "a `folder`, a `query_set` or files"),
        ('folder = "some/animals"', "", "a `folder`, a `query_set` or files"),
        ('folder = "some/animals"', 'qrels = "a.tsv"\nindex = "a"', "stand together, with the `index`"),
        ('folder = "some/animals"', 'qrels = "a.tsv"\nqueries = "a.jsonl"', "stand together, with the `index`"),
        ('title = "Small"', 'title = "Small"\nmeasures = ["bleu@4"]', "measures.0: there is no measure 'bleu@4'"),
        ('rescorers = ["words"]', "window_size = 3", "`window_size` is for rescorers without `pick`"),
        (SMALL, "name = ", "is not TOML"),
    ],
)
def test_what_no_suite_has_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, SMALL.replace(old, new))


def test_what_a_program_writes_may_be_json(tmp_path: Path) -> None:
    suite = read(tmp_path, SMALL)
    path = tmp_path / "small.json"
    path.write_text(suite.model_dump_json(exclude_defaults=True))
    assert read_suite(path) == suite
    path.write_text("name = ")
    with pytest.raises(ConfigError, match=r"small\.json is not JSON"):
        read_suite(path)


def test_a_suite_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml cannot be read: No such file"):
        read_suite(tmp_path / "no.toml")


def test_the_reported_suites_can_be_read(repository: Path) -> None:
    suites = {path.stem: read_suite(path) for path in (repository / "benchmarks").glob("*.toml")}
    assert {"results", "dev", "ablation"} <= set(suites)
    assert {suites["dev"].split_of(collection) for collection in suites["dev"].collections} == {"dev"}
    assert len([collection for collection in suites["results"].collections if not collection.apart]) == 9
