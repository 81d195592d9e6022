from __future__ import annotations

import gzip
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from prorank_search.errors import InputError
from prorank_search.evaluation.trec_files import Run, read_run, write_run
from prorank_search.types import ScoredDoc

RUN: Run = {
    "q1": [ScoredDoc("q1", "b", 3.5), ScoredDoc("q1", "a", -1.25)],
    "q2": [ScoredDoc("q2", "a", 0.5)],
}


@pytest.mark.parametrize("name", ["a.run", "a.run.gz"])
def test_a_run_comes_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / name, RUN)
    assert read_run(tmp_path / name) == RUN


def test_a_line_is_what_trec_eval_reads(tmp_path: Path) -> None:
    write_run(tmp_path / "a.run", RUN, tag="my model")
    assert (tmp_path / "a.run").read_text().splitlines()[0] == "q1 Q0 b 1 3.5 my-model"


def test_a_name_in_gz_is_packed(tmp_path: Path) -> None:
    write_run(tmp_path / "a.run.gz", RUN)
    assert gzip.decompress((tmp_path / "a.run.gz").read_bytes()).startswith(b"q1 Q0 b 1 3.5")


@pytest.mark.parametrize("score", [0.0, 1e-9, 12.0, -3e7])
def test_equal_scores_fall_strictly_in_single_precision(tmp_path: Path, score: float) -> None:
    write_run(tmp_path / "a.run", {"q": [ScoredDoc("q", f"d{rank}", score) for rank in range(100)]})
    lines = [line.split() for line in (tmp_path / "a.run").read_text().splitlines()]
    single = [struct.unpack("f", struct.pack("f", float(columns[4])))[0] for columns in lines]
    assert all(higher > lower for higher, lower in pairwise(single))
    assert [columns[2] for columns in lines] == [f"d{rank}" for rank in range(100)]


def test_the_score_orders_a_run_and_the_file_breaks_ties(tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q Q0 low 1 1.0 t\nq Q0 first 2 2.0 t\nq Q0 second 3 2.0 t\n")
    assert [scored.doc_id for scored in read_run(tmp_path / "a.run")["q"]] == ["first", "second", "low"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 a 1 2.0 t\nq Q0 b 2 1.0\n", "a.run:2: 5 columns"),
        ("q Q0 a 1 high t\n", "a.run:1: the score 'high' is not a number"),
        ("q Q0 a 1 nan t\n", "a.run:1: the score 'nan' is not finite"),
        ("q Q0 a 1 2.0 t\n\nq Q0 a 2 1.0 t\n", "a.run:3: the document 'a' stands twice for query 'q'"),
        ("\n", "a.run holds no hit"),
    ],
)
def test_a_bad_run_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.run").write_text(text)
    with pytest.raises(InputError, match=message):
        read_run(tmp_path / "a.run")


@pytest.mark.parametrize("content", [b"q Q0 \xff 1 2.0 t\n", None])
def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.run").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.run cannot be read"):
        read_run(tmp_path / "a.run")


@pytest.mark.parametrize(
    "broken", [gzip.compress(b"q Q0 a 1 2.0 t\n")[:-9], b"q Q0 a 1 2.0 t\n", b"\x1f\x8b\x08" + b"0" * 40]
)
def test_a_gz_file_that_is_broken_is_refused(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "a.run.gz").write_bytes(broken)
    with pytest.raises(InputError, match=r"a\.run\.gz cannot be read"):
        read_run(tmp_path / "a.run.gz")


def test_an_id_with_a_space_leaves_the_old_run_alone(tmp_path: Path) -> None:
    write_run(tmp_path / "a.run", RUN)
    with pytest.raises(InputError, match="the id 'two words' cannot stand in a TREC run"):
        write_run(tmp_path / "a.run", {"q": [ScoredDoc("q", "two words", 1.0)]})
    assert read_run(tmp_path / "a.run") == RUN
    assert [path.name for path in tmp_path.iterdir()] == ["a.run"]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written to .*nowhere"):
        write_run(tmp_path / "nowhere" / "a.run", RUN)
