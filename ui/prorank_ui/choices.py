"""What a person chose on Compare, and how an address writes it down. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import get_args

from prorank_search.types import Blend, Normalize, ScoreMode

FIRST_STAGE = "bm25"
"""What the address calls a side without a second stage."""

BLENDS = {
    "": "as the model was tuned",
    "replace:none:1:1": "its scores alone",
    "total:zscore:1:1": "BM25 + scores",
    "total:zscore:1:2": "BM25 + twice its scores",
    "total:zscore:2:1": "twice BM25 + scores",
    "rrf:none:1:1": "reciprocal ranks",
}
"""What can be chosen, as an address writes it, and what it is called."""

_PARTS = 4


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        rescorer: Name of the second stage; empty: the first stage alone.
        model: Its model; empty: the one that the settings name.
        window: First-stage hits that it scores, as written; empty: as the settings say.
        blend: A key of `BLENDS`, or another blend written that way.
        instruction: What counts as relevant, for models that take such a thing.
    """

    rescorer: str = ""
    model: str = ""
    window: str = ""
    blend: str = ""
    instruction: str = ""

    @property
    def name(self) -> str:
        """What the side is called."""
        return self.model or self.rescorer or "BM25"


DETAILS = tuple(field.name for field in fields(Side) if field.name != "rescorer")
"""What is chosen of a side beside its second stage."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One search as a person chose it.

    Attributes:
        query: What to search for.
        index: Name of the index.
        side: How.
        top_k: Hits wanted. With a second stage the result holds its whole window, so that every movement can be told.
    """

    query: str
    index: str
    side: Side = Side()
    top_k: int = 100


def blend_of(written: str) -> Blend | None:
    """Read a blend; None where nothing that can be read is written.

    Example:
        >>> blend_of("total:zscore:1:2")
        Blend(score_mode='total', normalize='zscore', query_weight=1.0, rescore_query_weight=2.0)
        >>> blend_of("") is blend_of("nonsense") is None
        True
    """
    parts = written.split(":")
    if len(parts) != _PARTS or parts[0] not in get_args(ScoreMode) or parts[1] not in get_args(Normalize):
        return None
    try:
        return Blend(parts[0], parts[1], float(parts[2]), float(parts[3]))  # type: ignore[arg-type]  # both were looked at
    except ValueError:
        return None


def blend_name(written: str) -> str:
    """Return what a blend is called; what cannot be read, as it is written.

    Example:
        >>> blend_name("rrf:none:1:1"), blend_name("total:zscore:1:8"), blend_name("avg:minmax:2:1")
        ('reciprocal ranks', 'BM25 + 8 × its scores', 'mean of 2 × BM25 and its scores, minmax')
        >>> blend_name("total:none:1:1")
        'BM25 + its scores, both as they are'
    """
    blend = blend_of(written)
    if written in BLENDS or blend is None:
        return BLENDS.get(written, written)
    weights = {"BM25": blend.query_weight, "its scores": blend.rescore_query_weight}
    terms = [name if weight == 1 else f"{weight:g} × {name}" for name, weight in weights.items()]
    joined = {
        "replace": "its scores alone",
        "total": " + ".join(terms),
        "multiply": f"product of {' and '.join(terms)}",
        "avg": f"mean of {' and '.join(terms)}",
        "max": f"the higher of {' and '.join(terms)}",
        "min": f"the lower of {' and '.join(terms)}",
        "rrf": f"reciprocal ranks of {' and '.join(terms)}",
    }[blend.score_mode]
    if blend.score_mode in {"replace", "rrf"} or blend.normalize == "zscore":
        return joined
    return f"{joined}, {'both as they are' if blend.normalize == 'none' else blend.normalize}"


def written_blend(blend: Blend) -> str:
    """Write a blend as an address has it.

    Example:
        >>> written_blend(Blend("total", "zscore", rescore_query_weight=2.0))
        'total:zscore:1:2'
    """
    return f"{blend.score_mode}:{blend.normalize}:{blend.query_weight:g}:{blend.rescore_query_weight:g}"


def written_side(place: str, side: Side) -> dict[str, str]:
    """Write a side as an address has it; what is not chosen is left out.

    Example:
        >>> written_side("right", Side("prorank", window="30"))
        {'right': 'prorank', 'right_window': '30'}
    """
    details = {f"{place}_{detail}": str(getattr(side, detail)) for detail in DETAILS}
    return {place: side.rescorer or FIRST_STAGE} | {key: value for key, value in details.items() if value}


def side_of(place: str, address: Mapping[str, str], default: Side) -> Side:
    """Read a side out of an address that need not name it.

    Example:
        >>> side_of("right", {"right": "bm25"}, Side("prorank")), side_of("right", {}, Side("prorank")).rescorer
        (Side(rescorer='', model='', window='', blend='', instruction=''), 'prorank')
    """
    if place not in address:
        return default
    rescorer = "" if address[place] == FIRST_STAGE else address[place]
    return Side(rescorer, **{detail: address.get(f"{place}_{detail}", "") for detail in DETAILS})
