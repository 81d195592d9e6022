"""The HTML of the rankings, above all that nothing in it comes from a document unescaped."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import prorank_ui
from prorank_search.types import Document, RescoredHit
from prorank_ui.compare.explanation import drawn
from prorank_ui.compare.pairing import Placed, pair
from prorank_ui.compare.ranking_table import board, failed_side, hits_side, pending_side
from prorank_ui.drawing.markup import escape, mark
from prorank_ui.drawing.notices import notice, summary

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
TAGS = {"button", "div", "section", "header", "h2", "ol", "li", "span", "p", "b", "mark", "small", "strong"}


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


def right(found: RescoredHit, was: int) -> str:
    """Return the right side with one hit that has this rank on the left."""
    both = pair([replace(found, rank=was)], [found], top_k=10)
    return hits_side("right", both.right, heading="h", note="")


@pytest.mark.parametrize("nasty", NASTY)
def test_whatever_stands_in_a_document_is_text(nasty: str) -> None:
    document = Document(nasty, f"dog {nasty}", title=nasty)
    evil = RescoredHit(
        document, 1.0, 1, 2, 1.0, 0.3, 0.7, truncated=True, highlights=("dog", nasty, "script", "onerror")
    )
    both = pair([evil], [evil])
    seen = Seen(
        summary(nasty, nasty)
        + notice("warning", nasty, nasty)
        + board(
            hits_side("left", both.left, heading=nasty, note=nasty),
            hits_side("right", both.right, heading=nasty, note=nasty),
        )
        + failed_side("right", heading=nasty, note=nasty, reason=nasty)
        + pending_side("right", heading=nasty, note=nasty, count=2)
        + drawn([(nasty, 1.0), (nasty, -0.5), (nasty, 0.0)])
    )
    assert seen.open == []
    assert set(seen.tags) <= TAGS
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    styles = {value for name, value in seen.attributes if name == "style"}
    assert styles == {"width:70%", "--pr-hue:138", "--pr-strength:0.55", "--pr-strength:0.28"}
    readable = "".join(character if character.isprintable() or character.isspace() else "" for character in nasty)
    assert readable.split()[0] in seen.text


def test_control_characters_become_visible_ones() -> None:
    assert escape("a\x00b\x1bc\ud800") == "a\ufffdb\ufffdc\ufffd"


def test_text_of_any_direction_stands_in_an_element_of_its_own() -> None:
    html = right(hit(title="\u202edog", text="שלום"), 1)
    assert '<p class="pr-text" dir="auto">שלום</p>' in html
    assert '<button type="button" class="pr-title" dir="auto"' in html


def test_matched_words_are_marked_as_they_stand_in_the_text() -> None:
    assert mark("A Dog & dogs: dog", ["dog", "Dog"]) == "A <mark>Dog</mark> &amp; dogs: <mark>dog</mark>"


def test_a_word_made_of_markup_is_marked_and_escaped() -> None:
    assert mark("a <b> c", ["<b>"]) == "a <mark>&lt;b&gt;</mark> c"


@pytest.mark.parametrize(
    ("rank", "was", "expected"),
    [(1, 7, ["▲", "up", " 6", "was 7"]), (7, 1, ["▼", "down", " 6", "was 1"]), (3, 3, ["=", "same", "was 3"])],
)
def test_movement_is_told_by_arrow_word_and_number(rank: int, was: int, expected: list[str]) -> None:
    text = Seen(right(hit(rank), was)).text
    for part in expected:
        assert part in text


def test_a_hit_from_beyond_the_first_ones_is_called_new_and_one_that_goes_there_leaves() -> None:
    assert "new" in Seen(right(hit(1), 11)).text
    assert "new" not in Seen(right(hit(1), 10)).text
    both = pair([hit(1)], [hit(11)], 10)
    assert "leaves" in Seen(hits_side("left", both.left, heading="h", note="")).text


def test_a_hit_that_the_other_side_has_not_stands_only_here_without_a_colour() -> None:
    html = hits_side("right", pair([], [hit()]).right, heading="h", note="")
    assert "only here" in Seen(html).text
    assert "--pr-hue" not in html


def test_both_scores_are_shown_and_a_probability_only_where_there_is_one() -> None:
    html = right(hit(), 1)
    assert "score -1.50" in Seen(html).text
    assert "BM25 12.35, rank 1" in Seen(html).text
    assert "pr-bar" not in html


def test_nothing_is_said_of_movement_before_there_is_another_side() -> None:
    text = Seen(hits_side("left", [Placed(hit())], heading="h", note="")).text
    assert "now" not in text
    assert "only here" not in text


def test_a_document_without_title_goes_by_its_id() -> None:
    assert "d1" in Seen(hits_side("left", [Placed(hit(title=""))], heading="h", note="")).text


def test_no_style_sheet_holds_what_a_browser_takes_for_a_tag() -> None:
    sheets = list(Path(prorank_ui.__path__[0]).rglob("*.css"))
    assert sheets
    assert [sheet.name for sheet in sheets if "<" in sheet.read_text("utf-8")] == []  # Streamlit drops it silently


def test_a_pending_side_says_that_it_is_busy() -> None:
    html = pending_side("right", heading="h", note="rescoring", count=3)
    assert 'aria-busy="true"' in html
    assert html.count("<li") == 3
