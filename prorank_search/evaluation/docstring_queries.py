"""An evaluation set out of code: a function's first docstring sentence asks for the function.

Such sentences were written by people who knew the answer, and only the function they stood in counts as relevant; so
the figures tell two rankings of the same index apart, and say little about searching in general.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable

from prorank_search.errors import InputError
from prorank_search.types import Document, Qrel, Query

KINDS = ("function", "method")
"""What can be asked for: the metadata `kind` of documents that the Python-package reader made."""

MIN_WORDS = 5
"""A sentence shorter than this describes too many functions."""

_SENTENCE = re.compile(r".+?[.!?](?=\s|$)")
_SIGNATURE = re.compile(r"[\w.]+\(.*\)")


def first_sentence(docstring: str) -> str:
    r"""Return the first sentence of a docstring on one line; nothing where a signature stands in its place.

    Example:
        >>> first_sentence("Return the sum\n    of a list. Empty lists sum up to 0.\n\nMore.")
        'Return the sum of a list.'
        >>> first_sentence("sum(numbers) -> number")
        ''
    """
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    if _SIGNATURE.match(paragraph):
        return ""
    sentence = _SENTENCE.match(paragraph)
    return sentence.group() if sentence else paragraph


def docstring_queries(documents: Iterable[Document], limit: int, seed: int = 0) -> tuple[dict[str, Query], list[Qrel]]:
    """Sample functions and methods, and make a query of each one's first docstring sentence.

    A sentence is used where it has at least `MIN_WORDS` words and no second function begins with it.

    Args:
        documents: Documents of the Python-package reader, read without docstrings in their text.
        limit: Queries wanted; fewer where the documents do not give as many.
        seed: Of the sample; the same seed and documents give the same queries.

    Returns:
        The queries by `query_id`, which is the function's `doc_id`, and the judgments.

    Raises:
        InputError: No document has a sentence that can be used.
    """
    sentences = {
        document.doc_id: first_sentence(str(document.metadata.get("docstring", "")))
        for document in documents
        if document.metadata.get("kind") in KINDS
    }
    times = Counter(sentences.values())
    usable = sorted(
        doc_id for doc_id, sentence in sentences.items() if len(sentence.split()) >= MIN_WORDS and times[sentence] == 1
    )
    if not usable:
        raise InputError(f"none of {len(sentences)} functions has a docstring whose first sentence can be a query")
    chosen = random.Random(seed).sample(usable, min(limit, len(usable)))
    queries = {doc_id: Query(doc_id, sentences[doc_id]) for doc_id in chosen}
    return queries, [Qrel(doc_id, doc_id, 1) for doc_id in chosen]
