"""Random search bodies, many of them nearly right: what a fuzzer sends to the embedded index and the gateway."""

from __future__ import annotations

import random
from collections.abc import Callable

FIELDS = ("title", "text", "_id", "doc_id", "parent_id", "facts", "metadata.year", "metadata.kind", "metadata.", "body")
WORDS = ("fox", "animal mice", "", "the", "狐狸", "\ud800", "\x00", "a^b", "night " * 50, "1e999", "now-1d", "=", "😀")
_ODD: tuple[object, ...] = (
    *(None, True, False, 0, -1, 3, 2**70, 1.5, 1e300, -0.0, "", "x", "12", [], {}, [[]], [{}], {"a": {"b": [1]}}),
    *("*", "75%", "-25%", "2<75%", ["_score"], "_score", "true", 10_001, "a" * 600),
)


def random_body(chance: random.Random) -> object:
    """Return a body: most have the right shape, with an odd value here and there."""
    if chance.random() < 0.02:
        return chance.choice(_ODD)
    body = {key: make(chance) for key, make in _KEYS.items() if chance.random() < 0.25}
    if chance.random() < 0.05:
        body[chance.choice(("aggs", "querry", "search_after", "pit", "collapse", "\ud800"))] = _odd(chance)
    return body


def _query(chance: random.Random, depth: int = 3) -> object:
    if chance.random() < 0.03:
        return _odd(chance)
    kinds = list(_CLAUSES) if depth else [kind for kind in _CLAUSES if kind != "bool"]
    kind = chance.choice(kinds)
    inner = _bool(chance, depth) if kind == "bool" else _CLAUSES[kind](chance)
    return {kind if chance.random() > 0.01 else "fuzzy": inner}


def _bool(chance: random.Random, depth: int) -> object:
    occurs = ("must", "should", "filter", "must_not")
    body: dict[str, object] = {
        occur: [_query(chance, depth - 1) for _ in range(chance.randrange(3))]
        for occur in occurs
        if chance.random() < 0.5
    }
    if chance.random() < 0.2:
        body["minimum_should_match"] = chance.choice((0, 1, 2, -1, "50%", "-50%", "x", 10**12))
    return _boosted(chance, body)


def _match(chance: random.Random) -> object:
    if chance.random() < 0.5:
        return {_field(chance): chance.choice(WORDS)}
    return {_field(chance): _options(chance, {"query": chance.choice(WORDS)})}


def _multi_match(chance: random.Random) -> object:
    body = _options(chance, {"query": chance.choice(WORDS)})
    if chance.random() < 0.6:
        body["fields"] = [
            f"{_field(chance)}{chance.choice(('', '', '^2', '^x'))}" for _ in range(chance.randrange(1, 4))
        ]
    if chance.random() < 0.3:
        body["type"] = chance.choice(("best_fields", "most_fields", "most_fields", "cross_fields"))
    return body


def _range(chance: random.Random) -> object:
    bounds = {name: chance.choice((2020, 2020.5, "2020", "2020-01-01", "now", "b")) for name in ("gte", "lt")}
    return {_field(chance): _boosted(chance, dict(bounds))}


def _options(chance: random.Random, body: dict[str, object]) -> dict[str, object]:
    if chance.random() < 0.3:
        body["operator"] = chance.choice(("and", "or", "AND", "xor"))
    if chance.random() < 0.3:
        body["minimum_should_match"] = chance.choice((1, 2, "75%", "-1", "-30%", "2<3"))
    if chance.random() < 0.05:
        body["fuzziness"] = "AUTO"
    return _boosted(chance, body)


def _boosted(chance: random.Random, body: dict[str, object]) -> dict[str, object]:
    if chance.random() < 0.2:
        body["boost"] = chance.choice((0, 0.5, 2, "3", 1e15, 1e300, -1, True))
    return body


def _highlight(chance: random.Random) -> object:
    body: dict[str, object] = {"fields": {chance.choice(("text", "title", "*", "t*", "metadata.year")): {}}}
    if chance.random() < 0.4:
        body[chance.choice(("number_of_fragments", "fragment_size"))] = chance.choice((0, 1, 7, 10**9, -1, "3"))
    if chance.random() < 0.3:
        body["pre_tags"] = chance.choice((["<b>"], "<b>", [], [1]))
    if chance.random() < 0.2:
        body["highlight_query"] = _query(chance, 1)
    return body


def _source(chance: random.Random) -> object:
    patterns = [chance.choice(("title", "meta*", "*.year", "*", "**", "a*b*c", "", ".")) for _ in range(2)]
    return chance.choice((True, False, patterns, {"includes": patterns}, {"excludes": patterns}, _odd(chance)))


def _field(chance: random.Random) -> str:
    return chance.choice(FIELDS[:2] if chance.random() < 0.5 else FIELDS)


def _odd(chance: random.Random) -> object:
    return chance.choice(_ODD)


_CLAUSES: dict[str, Callable[[random.Random], object]] = {
    "match_all": lambda chance: _boosted(chance, {}),
    "match": _match,
    "multi_match": _multi_match,
    "bool": lambda chance: _bool(chance, 1),
    "term": lambda chance: {_field(chance): chance.choice((*WORDS, 2020, 2020.0, True, None))},
    "terms": lambda chance: {_field(chance): [chance.choice((*WORDS, 2020, 0.5)) for _ in range(3)]},
    "range": _range,
    "ids": lambda chance: {"values": [chance.choice(("fox", "owl", "", 1, None)) for _ in range(chance.randrange(3))]},
}
_KEYS: dict[str, Callable[[random.Random], object]] = {
    "query": _query,
    "from": lambda chance: chance.choice((0, 1, 5, 9_999, -1, "2")),
    "size": lambda chance: chance.choice((0, 1, 10, 100, 10_000, -1, 2.5, "3")),
    "_source": _source,
    "highlight": _highlight,
    "track_total_hits": lambda chance: chance.choice((True, False, 0, 1, 10**12, "false", -1, None)),
    "min_score": lambda chance: chance.choice((0, 0.4, 1e300, -5, "1", None)),
    "sort": lambda chance: chance.choice(("_score", [{"_score": "desc"}], ["_doc"], [], {"_score": {"order": "asc"}})),
}
