"""Why a document has its score: the score with each of its sentences left out. Pure, but for the scorer it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prorank_search.sentences import sentences
from prorank_search.types import Scored
from prorank_ui.drawing.markup import escape

MOST_SENTENCES = 24
"""Longer texts are looked at by their first sentences."""

_STRONGEST = 0.55
_FAINTEST = 0.02


def contributions(text: str, score: Callable[[Sequence[str]], Sequence[Scored]]) -> list[tuple[str, float]]:
    """Return each sentence of a text with what the score loses without it; below zero where it gains.

    Args:
        text: What the model saw of the document.
        score: Scores texts for the query.

    Returns:
        The sentences in order; together they are the text. One that was not scored in time has 0.
    """
    spans = sentences(text)
    spans, rest = spans[:MOST_SENTENCES], spans[MOST_SENTENCES:]
    without = [text[:start] + text[end:] for start, end in spans] if len(spans) > 1 else []
    whole, *left_out = [answer.score for answer in score([text, *without])]
    losses = [0.0 if None in {whole, left} else (whole or 0.0) - (left or 0.0) for left in left_out]
    told = [(text[start:end], loss) for (start, end), loss in zip(spans, losses or [0.0], strict=False)]
    return [*told, *((text[start:end], 0.0) for start, end in rest)]


def drawn(told: Sequence[tuple[str, float]]) -> str:
    """Return the text as HTML: the more the score loses without a sentence, the stronger its colour.

    Example:
        >>> drawn([("It barks. ", -1.5)]).partition(">")[2]
        '<span class="pr-against" style="--pr-strength:0.55">It barks.</span><small>-1.50</small> </p>'
    """
    most = max((abs(loss) for _, loss in told), default=0.0) or 1.0
    return f'<p class="pr-why" dir="auto">{"".join(_sentence(text, loss, loss / most) for text, loss in told)}</p>'


def _sentence(text: str, loss: float, share: float) -> str:
    if abs(share) < _FAINTEST:
        return f"<span>{escape(text)}</span>"
    name = "pr-for" if loss > 0 else "pr-against"
    strength = f"{abs(share) * _STRONGEST:.2f}"
    said = text.rstrip()
    marked = f'<span class="{name}" style="--pr-strength:{strength}">{escape(said)}</span><small>{loss:+.2f}</small>'
    return marked + text[len(said) :]
