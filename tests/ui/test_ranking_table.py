"""The HTML of the rankings, above all that nothing in it comes from a document unescaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from prorank_search.types import Document, RescoredHit
from prorank_ui.markup import escape, mark
from prorank_ui.ranking_table import board, failed_side, first_stage_side, notice, pending_side, rescored_side, summary

NASTY = [
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</span></li></ol><style>*{display:none}</style>",
    "&lt;script&gt; &amp;",
    "\u202egnirts desrever\u2066 שלום",
    "nul \x00 bell \x07 escape \x1b[2J lone \ud800",
    "emoji 🦊 中文 ``` [a](javascript:alert(1)) $x$",
]
TAGS = {"div", "section", "header", "h3", "ol", "li", "span", "p", "b", "mark", "small", "strong"}


class Seen(HTMLParser):
    """Keeps tags, attributes and text of a piece of HTML, and checks that each tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def hit(rank: int = 1, first_stage_rank: int = 1, text: str = "A dog.", title: str = "Dogs") -> RescoredHit:
    return RescoredHit(
        document=Document("d1", text, title=title),
        score=0.5,
        rank=rank,
        first_stage_rank=first_stage_rank,
        first_stage_score=12.345,
        rescore_score=-1.5,
    )


@pytest.mark.parametrize("nasty", NASTY)
def test_whatever_stands_in_a_document_is_text(nasty: str) -> None:
    document = Document(nasty, f"dog {nasty}", title=nasty)
    evil = RescoredHit(
        document, 1.0, 1, 2, 1.0, 0.3, 0.7, truncated=True, highlights=("dog", nasty, "script", "onerror")
    )
    left = first_stage_side([evil], note=nasty, moved=True)
    seen = Seen(
        summary(nasty, nasty)
        + notice("warning", nasty, nasty)
        + board(left, rescored_side([evil], heading=nasty, note=nasty, top_k=10))
        + failed_side(heading=nasty, note=nasty, reason=nasty)
        + pending_side(heading=nasty, note=nasty, count=2)
    )
    assert seen.open == []
    assert set(seen.tags) <= TAGS
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    assert {value for name, value in seen.attributes if name == "style"} == {"width:70%"}
    readable = "".join(character if character.isprintable() or character.isspace() else "" for character in nasty)
    assert readable.split()[0] in seen.text


def test_control_characters_become_visible_ones() -> None:
    assert escape("a\x00b\x1bc\ud800") == "a\ufffdb\ufffdc\ufffd"


def test_text_of_any_direction_stands_in_an_element_of_its_own() -> None:
    html = rescored_side([hit(title="\u202edog", text="שלום")], heading="h", note="", top_k=10)
    assert '<p class="pr-text" dir="auto">שלום</p>' in html
    assert '<span class="pr-title" dir="auto"' in html


def test_matched_words_are_marked_as_they_stand_in_the_text() -> None:
    assert mark("A Dog & dogs: dog", ["dog", "Dog"]) == "A <mark>Dog</mark> &amp; dogs: <mark>dog</mark>"


def test_a_word_made_of_markup_is_marked_and_escaped() -> None:
    assert mark("a <b> c", ["<b>"]) == "a <mark>&lt;b&gt;</mark> c"


@pytest.mark.parametrize(
    ("rank", "first_stage_rank", "expected"),
    [(1, 7, ["▲", "up", " 6", "was 7"]), (7, 1, ["▼", "down", " 6", "was 1"]), (3, 3, ["=", "same", "was 3"])],
)
def test_movement_is_told_by_arrow_word_and_number(rank: int, first_stage_rank: int, expected: list[str]) -> None:
    text = Seen(rescored_side([hit(rank, first_stage_rank)], heading="h", note="", top_k=10)).text
    for part in expected:
        assert part in text


def test_a_hit_from_beyond_the_first_ones_is_called_new() -> None:
    assert "new" in Seen(rescored_side([hit(1, 11)], heading="h", note="", top_k=10)).text
    assert "new" not in Seen(rescored_side([hit(1, 10)], heading="h", note="", top_k=10)).text


def test_both_scores_are_shown_and_a_probability_only_where_there_is_one() -> None:
    html = rescored_side([hit()], heading="h", note="", top_k=10)
    assert "score -1.50" in Seen(html).text
    assert "BM25 12.35" in Seen(html).text
    assert "pr-bar" not in html


def test_the_first_stage_tells_no_movement_before_rescoring() -> None:
    assert "now" not in Seen(first_stage_side([hit()], note="", moved=False)).text


def test_a_document_without_title_goes_by_its_id() -> None:
    assert "d1" in Seen(first_stage_side([hit(title="")], note="", moved=False)).text


def test_a_pending_side_says_that_it_is_busy() -> None:
    html = pending_side(heading="h", note="rescoring", count=3)
    assert 'aria-busy="true"' in html
    assert html.count("<li") == 3
