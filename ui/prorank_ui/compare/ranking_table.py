"""Two rankings side by side as HTML: pure functions, one string for a whole board.

A board has two sides; a side is a list of hits, or says that it is still at work, or that it failed. A document that
both sides have bears the same colour on both. A click on a title is `hit_clicks`'s to hear.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from prorank_search.snippets import snippet
from prorank_search.types import RescoredHit
from prorank_ui.compare.pairing import Placed
from prorank_ui.drawing.markup import escape, mark
from prorank_ui.drawing.notices import notice

Place = Literal["left", "right"]

STYLES = Path(__file__).with_suffix(".css")
_CLASSES = {"left": "pr-before", "right": "pr-after"}
_GOLDEN_ANGLE = 137.5
"""Degrees between two hues, so that neighbours never look alike."""


def board(left: str, right: str) -> str:
    """Put two sides next to each other; in a narrow window the right one comes below."""
    return f'<div class="pr-board"><div class="pr-sides">{left}{right}</div></div>'


def hits_side(place: Place, placed: Sequence[Placed], *, heading: str, note: str, empty: str = "") -> str:
    """Return a side with its hits.

    Args:
        place: Which side.
        placed: The hits to show, in this order.
        heading: Name of the side.
        note: What to say beside the name, such as the time it took.
        empty: What to say where there are none to show.
    """
    rescored = any(one.hit.rescore_score is not None for one in placed)
    cards = "".join(_card(place, one, facts_of(one.hit, rescored=rescored)) for one in placed)
    body = f'<ol class="pr-list">{cards}</ol>' if cards else notice("info", empty)
    return _side(place, heading, note, body)


def pending_side(place: Place, *, heading: str, note: str, count: int) -> str:
    """Return a side that is still being computed: as many grey cards as hits will stand there."""
    cards = '<li class="pr-card pr-ghost"></li>' * count
    body = f'<ol class="pr-list" aria-hidden="true">{cards}</ol>'
    return _side(place, heading, note, body, busy=True)


def failed_side(place: Place, *, heading: str, note: str, reason: str) -> str:
    """Return a side that has no ranking because its stage failed, with the reason."""
    return _side(place, heading, note, notice("error", "No ranking from this stage", reason))


def facts_of(hit: RescoredHit, *, rescored: bool = True) -> str:
    """Return a hit's scores as HTML; `rescored`: its side has a second stage."""
    cut = '<span class="pr-tag" title="The model did not read the end of this document">cut</span>'
    facts = [_fact("BM25", f"{hit.first_stage_score:.2f}, rank {hit.first_stage_rank}")]
    if hit.rescore_score is not None:
        facts = [_probability(hit.probability), _fact("score", f"{hit.rescore_score:.2f}"), *facts]
        facts += [cut] if hit.truncated else []
    elif rescored:
        facts.append('<span class="pr-tag">not scored</span>')
    return "".join(facts)


def _side(place: Place, heading: str, note: str, body: str, *, busy: bool = False) -> str:
    aria = f' aria-busy="{str(busy).lower()}"' if busy else ""
    head = f'<header><h2 dir="auto">{escape(heading)}</h2><span class="pr-note">{escape(note)}</span></header>'
    return f'<section class="pr-side {_CLASSES[place]}" aria-label="{escape(heading)}"{aria}>{head}{body}</section>'


def _card(place: Place, placed: Placed, facts: str) -> str:
    hit = placed.hit
    document = hit.document
    text = snippet(hit.passage or document.text, hit.highlights)
    doc_id = escape(document.doc_id)
    return (
        f'<li class="pr-card"{_colour(place, placed)}><span class="pr-rank">{hit.rank}</span><div class="pr-body">'
        f'<div class="pr-top"><button type="button" class="pr-title" dir="auto" data-pr-doc="{doc_id}" '
        f'title="{doc_id}">'
        f"{mark(document.title or document.doc_id, hit.highlights)}</button>"
        f'<span class="pr-moves">{_moves(place, placed)}</span></div>'
        f'<p class="pr-text" dir="auto">{mark(text, hit.highlights)}</p>'
        f'<div class="pr-facts">{facts}</div></div></li>'
    )


def _colour(place: Place, placed: Placed) -> str:
    left = placed.hit.rank if place == "left" else placed.other_rank
    if placed.other_rank is None or left is None:
        return ""
    return f' style="--pr-hue:{left * _GOLDEN_ANGLE % 360:.0f}"'


def _moves(place: Place, placed: Placed) -> str:
    """Return what is said of a hit's movement from left to right, such as "▲ 6, was 7"."""
    if placed.change is None:
        return ""
    if placed.other_rank is None:
        return '<span class="pr-tag">only here</span>'
    tag = {
        ("right", "new"): '<span class="pr-tag pr-new">new</span>',
        ("left", "gone"): '<span class="pr-tag">leaves</span>',
    }.get((place, placed.change), "")
    rank = placed.hit.rank
    steps = placed.other_rank - rank if place == "right" else rank - placed.other_rank
    name, sign = ("up", "▲") if steps > 0 else ("down", "▼") if steps < 0 else ("same", "=")
    number = f" {abs(steps)}" if steps else ""
    other = f"{'was' if place == 'right' else 'now'} {placed.other_rank}"
    return (
        f'{tag}<span class="pr-move pr-{name}"><span aria-hidden="true">{sign}</span>'
        f'<span class="pr-hidden">{name}</span>{number}</span><span class="pr-other">{other}</span>'
    )


def _probability(probability: float | None) -> str:
    if probability is None:
        return ""
    percent = 100 * min(max(probability, 0.0), 1.0)
    return (
        f'<span class="pr-fact" title="Probability of relevance"><span class="pr-bar" aria-hidden="true">'
        f'<span style="width:{percent:.0f}%"></span></span><b>{percent:.0f} %</b></span>'
    )


def _fact(name: str, value: str) -> str:
    return f'<span class="pr-fact">{escape(name)} <b>{escape(value)}</b></span>'
