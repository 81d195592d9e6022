"""Two rankings side by side as HTML: pure functions, one string for a whole board.

A board has two sides; a side is a list of hits, or says that it is still at work, or that it failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prorank_search.movement import movement
from prorank_search.snippets import snippet
from prorank_search.types import RescoredHit
from prorank_ui.markup import escape, mark

STYLES = Path(__file__).with_suffix(".css")


def board(left: str, right: str) -> str:
    """Put two sides next to each other; in a narrow window the right one comes below."""
    return f'<div class="pr-board"><div class="pr-sides">{left}{right}</div></div>'


def first_stage_side(hits: Sequence[RescoredHit], *, note: str, moved: bool) -> str:
    """Return the side in the first stage's order.

    Args:
        hits: The hits to show, in this order.
        note: What to say beside the name, such as the time it took.
        moved: Say where each hit went; its `rank` is the one after rescoring.
    """
    return _list_side("pr-before", "BM25", note, [_before(hit, moved=moved) for hit in hits])


def rescored_side(hits: Sequence[RescoredHit], *, heading: str, note: str, top_k: int) -> str:
    """Return the side in the final order, each hit with the rank that the first stage gave it.

    Args:
        hits: The hits to show, in this order.
        heading: Name of the second stage.
        note: What to say beside the name.
        top_k: A hit from beyond this rank is called new.
    """
    return _list_side("pr-after", heading, note, [_after(hit, top_k) for hit in hits])


def pending_side(*, heading: str, note: str, count: int) -> str:
    """Return a side that is still being computed: as many grey cards as hits will stand there."""
    cards = '<li class="pr-card pr-ghost"></li>' * count
    body = f'<ol class="pr-list" aria-hidden="true">{cards}</ol>'
    return _side("pr-after", heading, note, body, busy=True)


def failed_side(*, heading: str, note: str, reason: str) -> str:
    """Return a side that has no ranking because its stage failed, with the reason."""
    body = notice("error", "No ranking from this stage", reason)
    return _side("pr-after", heading, note, body)


def notice(level: str, headline: str, text: str = "") -> str:
    """Return a framed message; `level` is info, warning or error.

    Example:
        >>> notice("info", "Done.")
        '<div class="pr-notice pr-info" role="status"><strong>Done.</strong></div>'
    """
    role = "alert" if level == "error" else "status"
    more = f'<div dir="auto">{escape(text)}</div>' if text else ""
    return f'<div class="pr-notice pr-{escape(level)}" role="{role}"><strong>{escape(headline)}</strong>{more}</div>'


def summary(sentence: str, times: str) -> str:
    """Return the sentence that says what happened, with the stage times beside it."""
    return f'<p class="pr-summary"><span>{escape(sentence)}</span> <small>{escape(times)}</small></p>'


def _list_side(name: str, heading: str, note: str, cards: Sequence[str]) -> str:
    return _side(name, heading, note, f'<ol class="pr-list">{"".join(cards)}</ol>')


def _side(name: str, heading: str, note: str, body: str, *, busy: bool = False) -> str:
    aria = f' aria-busy="{str(busy).lower()}"' if busy else ""
    head = f'<header><h3 dir="auto">{escape(heading)}</h3><span class="pr-note">{escape(note)}</span></header>'
    return f'<section class="pr-side {name}" aria-label="{escape(heading)}"{aria}>{head}{body}</section>'


def _before(hit: RescoredHit, *, moved: bool) -> str:
    went = _move(hit, f"now {hit.rank}") if moved else ""
    return _card(hit, hit.first_stage_rank, went, [_fact("BM25", f"{hit.first_stage_score:.2f}")])


def _after(hit: RescoredHit, top_k: int) -> str:
    new = '<span class="pr-tag pr-new">new</span>' if movement(hit, top_k) == "new" else ""
    cut = '<span class="pr-tag" title="The model did not read the end of this document">cut</span>'
    facts = [
        _probability(hit.probability),
        _fact("score", f"{hit.rescore_score:.2f}") if hit.rescore_score is not None else _fact("", "not scored"),
        _fact("BM25", f"{hit.first_stage_score:.2f}"),
        cut if hit.truncated and hit.rescore_score is not None else "",
    ]
    return _card(hit, hit.rank, new + _move(hit, f"was {hit.first_stage_rank}"), facts)


def _card(hit: RescoredHit, rank: int, movement: str, facts: Sequence[str]) -> str:
    document = hit.document
    title = document.title or document.doc_id
    text = snippet(hit.passage or document.text, hit.highlights)
    return (
        f'<li class="pr-card"><span class="pr-rank">{rank}</span><div class="pr-body">'
        f'<div class="pr-top"><span class="pr-title" dir="auto" title="{escape(document.doc_id)}">'
        f'{mark(title, hit.highlights)}</span><span class="pr-moves">{movement}</span></div>'
        f'<p class="pr-text" dir="auto">{mark(text, hit.highlights)}</p>'
        f'<div class="pr-facts">{"".join(facts)}</div></div></li>'
    )


def _move(hit: RescoredHit, other: str) -> str:
    """Return a chip such as "▲ 6" and the rank in the other list."""
    steps = hit.first_stage_rank - hit.rank
    name, sign = ("up", "▲") if steps > 0 else ("down", "▼") if steps < 0 else ("same", "=")
    number = f" {abs(steps)}" if steps else ""
    return (
        f'<span class="pr-move pr-{name}"><span aria-hidden="true">{sign}</span>'
        f'<span class="pr-hidden">{name}</span>{number}</span><span class="pr-other">{escape(other)}</span>'
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
    label = f"{escape(name)} " if name else ""
    return f'<span class="pr-fact">{label}<b>{escape(value)}</b></span>'
