from __future__ import annotations

import time

import pytest

from prorank_search.snippets import any_of, snippet


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("row", "move_row, row_2, row3", 3),
        ("row", "arrow rows", 0),
        ("csv", "csvReader", 1),
        ("Reader", "csvReader, CSVReader", 2),
        ("Reader", "Readers", 0),
        ("HTTP", "HTTPServer, HTTP_PROXY", 2),
        ("API", "CAPI, APIS", 0),
        ("8", "utf-8, x8", 1),
        ("8", "utf-18, 2018", 0),
        ("été", "l'été", 1),
        ("été", "étés, Zété", 0),
        ("\u6f22", "\u6f22\u5b57", 1),
    ],
)
def test_a_word_is_found_where_it_stands_alone_or_in_a_name(word: str, text: str, found: int) -> None:
    pattern = any_of([word])
    assert pattern is not None
    assert len(pattern.findall(text)) == found


def test_no_words_give_no_pattern() -> None:
    assert any_of(["", " "]) is None


def test_a_snippet_shows_where_the_words_stand_closest_together() -> None:
    text = "fox " + "and so on " * 40 + "the fox met a hen " + "and so on " * 40
    shown = snippet(text, ["fox", "hen"], length=60)
    assert "the fox met a hen" in shown
    assert shown.startswith("\u2026 ")
    assert shown.endswith(" \u2026")


def test_a_book_in_which_a_word_stands_everywhere_is_shown_at_once() -> None:
    text = "the fox " * 20_000 + "the " * 12 + "the fox " * 20_000
    begun = time.perf_counter()
    shown = snippet(text, ["the"], length=60)
    assert "the the the" in shown
    assert time.perf_counter() - begun < 5  # counted pair by pair it would be minutes
