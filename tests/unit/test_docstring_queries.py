from __future__ import annotations

import pytest

from prorank_search.errors import InputError
from prorank_search.evaluation.docstring_queries import docstring_queries, first_sentence
from prorank_search.types import Document, Qrel


def function(name: str, docstring: str, kind: str = "method") -> Document:
    return Document(name, "def ...", name, {"kind": kind, "docstring": docstring})


GOOD = [function(f"m.f{number}", f"Return the number {number} of all things.") for number in range(20)]


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("", ""),
        ("Return x. Then y.", "Return x."),
        ("Return Python 3.11 or\n  later!\n\nMore.", "Return Python 3.11 or later!"),
        ("No full stop\n\nNext paragraph.", "No full stop"),
        ("f(x, y) -> z\n\nReturn z.", ""),
    ],
)
def test_the_first_sentence_is_one_line(docstring: str, sentence: str) -> None:
    assert first_sentence(docstring) == sentence


def test_only_a_sentence_that_tells_one_function_apart_is_a_query() -> None:
    same = "This sentence stands in two functions."
    documents = [
        function("short", "Return the thing."),
        function("one", same),
        function("two", same),
        function("class", "This class is no function at all.", kind="class"),
        function("none", ""),
        GOOD[0],
    ]
    queries, qrels = docstring_queries(documents, limit=10)
    assert [query.text for query in queries.values()] == ["Return the number 0 of all things."]
    assert qrels == [Qrel("m.f0", "m.f0", 1)]


def test_a_seed_picks_the_same_functions_whatever_their_order() -> None:
    chosen = docstring_queries(GOOD, 5, seed=1)[0]
    assert len(chosen) == 5
    assert docstring_queries(reversed(GOOD), 5, seed=1)[0] == chosen
    assert docstring_queries(GOOD, 5, seed=2)[0] != chosen


def test_documents_without_usable_docstrings_cannot_be_asked_for() -> None:
    with pytest.raises(InputError, match="none of 1 functions"):
        docstring_queries([function("short", "Return.")], 5)
