"""The hit that is judged, and what was said of others, as HTML: pure, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prorank_search.evaluation.agreement import Disputed
from prorank_search.judgments import GRADES, Judgment
from prorank_search.judgments.pooling import Pooled
from prorank_ui.drawing import plain_table
from prorank_ui.drawing.markup import escape, mark
from prorank_ui.drawing.notices import notice
from prorank_ui.drawing.wording import minute

STYLES = Path(__file__).with_suffix(".css")
LONGEST = 20_000
"""Characters of a document that are shown."""

_LONGEST_VALUE = 300


def card(query: str, hit: Pooled, *, ranks: bool = False, proposals: Sequence[Judgment] = ()) -> str:
    """Return the query and the hit.

    Args:
        query: The query's text.
        hit: The hit.
        ranks: Whether it shows where which system has the hit.
        proposals: What models say of it, if it shows that.
    """
    document = hit.document
    text = document.text[:LONGEST]
    cut = notice("info", f"The first {LONGEST:,} of {len(document.text):,} characters") if text != document.text else ""
    shown = [f"{system}: rank {rank}" for system, rank in hit.ranks.items()] if ranks else []
    shown += [f"{one.judge} proposes: {grade_name(one.relevance)}" for one in proposals]
    tags = f'<p class="jc-tags">{"".join(f"<span>{escape(tag)}</span>" for tag in shown)}</p>' if shown else ""
    facts = "".join(
        f"<dt>{escape(str(key))}</dt><dd>{escape(str(value)[:_LONGEST_VALUE])}</dd>"
        for key, value in document.metadata.items()
    )
    return (
        f'{heading(query)}<article class="jc-card" data-doc="{escape(document.doc_id)}">'
        f'<h2 dir="auto">{mark(document.title or document.doc_id, hit.highlights)}</h2>{tags}'
        f'<div class="jc-text" dir="auto" role="region" aria-label="Text" tabindex="0">'
        f"{mark(text, hit.highlights)}</div>"
        f'{cut}<dl class="jc-facts">{facts}</dl></article>'
    )


def heading(query: str) -> str:
    """Return the query that is judged.

    Example:
        >>> heading("<fox>")
        '<p class="jc-query" dir="auto">&lt;fox&gt;</p>'
    """
    return f'<p class="jc-query" dir="auto">{escape(query)}</p>'


def judge(name: str) -> str:
    """Return who judges.

    Example:
        >>> judge("<b>")
        '<p class="jc-judge" dir="auto">Judge: &lt;b&gt;</p>'
    """
    return f'<p class="jc-judge" dir="auto">Judge: {escape(name)}</p>'


def grade_name(relevance: int | None) -> str:
    """Return what a grade is called.

    Example:
        >>> grade_name(3), grade_name(None), grade_name(7)
        ('perfect', 'skipped', 'grade 7')
    """
    if relevance is None:
        return "skipped"
    return GRADES[relevance] if relevance < len(GRADES) else f"grade {relevance}"


def said_table(said: Sequence[Judgment], titles: Sequence[str]) -> str:
    """Return what a judge said of a query's hits, each with the document's title."""
    rows = [
        [title, grade_name(one.relevance), one.comment, minute(one.at)] for one, title in zip(said, titles, strict=True)
    ]
    return plain_table.drawn("Judged here", ["document", "judgment", "comment", "at (UTC)"], rows)


def disputed_table(disputed: Sequence[Disputed], queries: Sequence[str]) -> str:
    """Return the documents that judges grade differently, each with its query's text."""
    rows = [
        [query, one.doc_id, ", ".join(f"{judge}: {grade_name(grade)}" for judge, grade in one.grades.items())]
        for one, query in zip(disputed, queries, strict=True)
    ]
    return plain_table.drawn("Disputed documents", ["query", "document", "grades"], rows)
