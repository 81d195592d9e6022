"""ProRank Search: BM25 finds candidates, a small language model trained with ProRank rescores them."""

from prorank_search.profiles import Profile
from prorank_search.rescore import RescoreOptions, rescore
from prorank_search.search import load_backend, load_rescorer, search
from prorank_search.settings import Settings
from prorank_search.types import Blend, Document, Hit, Query, Ranking, RescoredHit, SearchResult, Status

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
