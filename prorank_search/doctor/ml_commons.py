"""Whether OpenSearch's ml-commons can read a rerank answer: the rules that its reader of Cohere's shape follows. Pure.

It casts: each number to Double, which a JSON integer or a literal of more than 18 characters is not, and each index to
Integer; and it looks for as many results as there are documents. What fails one of these fails the whole search.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping

_LONGEST = 18
_FULL_PRECISION = 15
"""Significant digits from which on a number is written as exactly as possible: then its length is chance."""
_MOST_INDEX = 2**31


class _Literal(str):
    """A number as it stands in the JSON."""

    __slots__ = ()


def complaints(answer: str, documents: int) -> list[str]:
    """Return why ml-commons would refuse an answer; nothing where it takes it.

    Args:
        answer: The body, as it came.
        documents: How many were sent.

    Example:
        >>> complaints('{"results": [{"index": 0, "relevance_score": 0.97}]}', 1)
        []
        >>> complaints('{"results": [{"index": 0, "relevance_score": 1}]}', 1)
        ['results.0.relevance_score is 1, an integer']
    """
    try:
        results = _results(json.loads(answer, parse_int=_Literal, parse_float=_Literal, parse_constant=_Literal))
    except ValueError as error:
        return [str(error)]
    wrong = [complaint for at, row in enumerate(results) for complaint in _of_row(at, row)]
    if len(results) != documents:
        wrong.append(f"{len(results)} results for {documents} documents")
    if not wrong:
        wrong += _of_indexes([int(str(row["index"])) for row in results])
    return wrong


def risks(answer: str) -> list[str]:
    """Return why ml-commons may refuse other answers of a service whose answer here it takes."""
    results = _results(json.loads(answer, parse_int=_Literal, parse_float=_Literal))
    for row in results:
        literal = str(row["relevance_score"])
        digits = re.sub(r"[eE].*|\D", "", literal).lstrip("0")
        if len(digits) >= _FULL_PRECISION:
            return [f"numbers are written in full, such as {literal}: one of more than {_LONGEST} characters will come"]
    return []


def _results(answer: object) -> list[Mapping[str, object]]:
    results = answer.get("results") if isinstance(answer, Mapping) else None
    if not isinstance(results, list) or not all(isinstance(row, Mapping) for row in results):
        raise ValueError("there is no list of objects under 'results'")
    return results


def _of_row(at: int, row: Mapping[str, object]) -> Iterator[str]:
    index, number = row.get("index"), row.get("relevance_score")
    if not isinstance(index, _Literal) or not index.isdecimal() or int(index) >= _MOST_INDEX:
        yield f"results.{at}.index is {json.dumps(index)}, no integer"
    where = f"results.{at}.relevance_score is {number if isinstance(number, _Literal) else json.dumps(number)}"
    if not isinstance(number, _Literal):
        yield f"{where}, no number"
    elif not re.search(r"[.eE]", number):
        yield f"{where}, an integer" if number.lstrip("-").isdecimal() else f"{where}, which is not finite"
    elif len(number) > _LONGEST:
        yield f"{where}, of {len(number)} characters, more than {_LONGEST}"


def _of_indexes(indexes: list[int]) -> list[str]:
    """Return what is wrong with indexes that are integers: each document has to have one result."""
    beyond = [index for index in indexes if index >= len(indexes)]
    twice = [index for index, times in Counter(indexes).items() if times > 1]
    wrong = [f"index {beyond[0]} is none of the {len(indexes)} documents"] if beyond else []
    return wrong + ([f"index {twice[0]} has two results"] if twice else [])
