"""Which documents a training group sets against its positive: pure choices over a first-stage ranking."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from prorank_search.types import Document, Hit

_WORD = re.compile(r"\w+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def overlap(first: str, second: str) -> float:
    """Return the Jaccard overlap of two texts' words (characters, where they are Chinese or Japanese).

    Example:
        >>> overlap("the red fox", "a red fox")
        0.5
    """
    a, b = _words(first), _words(second)
    return len(a & b) / len(a | b) if a or b else 1.0


def hard_negatives(
    hits: Sequence[Hit], positives: Sequence[Document], ranks: tuple[int, int], wanted: int, near_duplicate: float
) -> list[Document]:
    """Choose hard negatives, spread over the ranks that are allowed.

    Args:
        hits: The first stage's hits.
        positives: All documents judged relevant to the query.
        ranks: Best and worst rank allowed, from 1.
        wanted: How many at most.
        near_duplicate: Overlap with a positive from which a document is taken for another copy of it.

    Returns:
        Documents in first-stage order; every second one at first, so that they reach down the list.
    """
    relevant = {document.doc_id for document in positives}
    allowed = [
        hit.document
        for hit in hits[ranks[0] - 1 : ranks[1]]
        if hit.document.doc_id not in relevant
        and all(overlap(hit.document.text, positive.text) < near_duplicate for positive in positives)
    ]
    stride = max(1, min(3, len(allowed) // max(1, wanted)))
    return allowed[: wanted * stride : stride][:wanted]


def random_negatives(
    corpus: Sequence[Document], positives: Sequence[Document], wanted: int, rng: random.Random
) -> list[Document]:
    """Draw documents from the whole collection that are not judged relevant."""
    relevant = {document.doc_id for document in positives}
    drawn = rng.sample(range(len(corpus)), min(len(corpus), wanted + len(relevant)))
    return [corpus[at] for at in drawn if corpus[at].doc_id not in relevant][:wanted]


def _words(text: str) -> set[str]:
    return set(_CJK.findall(text)) | set(_WORD.findall(_CJK.sub(" ", text.lower())))
