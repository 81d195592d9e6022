"""ProRank Search: BM25 finds candidates, a small language model trained with ProRank rescores them."""

from typing import TYPE_CHECKING

from prorank_search.profiles import Profile
from prorank_search.rescore import RescoreOptions, rescore
from prorank_search.search import load_backend, load_rescorer, search
from prorank_search.types import Blend, Document, Hit, Query, Ranking, RescoredHit, SearchResult, Status

if TYPE_CHECKING:
    from prorank_search.settings import Settings

__all__ = [
    "Blend",
    "Document",
    "Hit",
    "Profile",
    "Query",
    "Ranking",
    "RescoreOptions",
    "RescoredHit",
    "SearchResult",
    "Settings",
    "Status",
    "load_backend",
    "load_rescorer",
    "rescore",
    "search",
]


def __getattr__(name: str) -> object:
    """Import `Settings` when it is first asked for: pydantic alone would take half of the command line's start."""
    if name != "Settings":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from prorank_search.settings import Settings

    return Settings
