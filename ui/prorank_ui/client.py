"""What the pages ask for, and who answers: one client, in this process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

from prorank_search import plugins
from prorank_search.profiles import Profile, profile_for
from prorank_search.protocols import IndexInfo, Rescorer
from prorank_search.search import load_backend, load_rescorer, search
from prorank_search.settings import Settings, load_settings
from prorank_search.types import SearchResult


@dataclass(frozen=True, slots=True)
class Choice:
    """One search as a person chose it.

    Attributes:
        query: What to search for.
        index: Name of the index.
        rescorer: Name of the second stage; None: the first stage alone.
        top_k: Hits shown. With a second stage the result holds its whole window, so that every movement can be told.
    """

    query: str
    index: str
    rescorer: str | None
    top_k: int

    def first_stage(self) -> Choice:
        """Return the same search without its second stage."""
        return replace(self, rescorer=None)


class Client(Protocol):
    """Answers the pages' questions. Every method raises a `ProRankError` where it cannot."""

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched."""
        ...

    def settings(self, index: str) -> Settings:
        """Return what is in force for searches of an index."""
        ...

    def rescorers(self) -> list[str]:
        """List the second stages that are installed."""
        ...

    def search(self, choice: Choice) -> SearchResult:
        """Search an index as its profile says."""
        ...


class LocalClient:
    """Searches in this process. Settings are read once an index, models are loaded once, by whoever asks first."""

    def __init__(self) -> None:
        self._backend = load_backend(load_settings())
        self._profiles: dict[str, tuple[Settings, Profile]] = {}
        self._rescorers: dict[tuple[object, ...], Rescorer] = {}
        self._loading = Lock()

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched."""
        return self._backend.indexes()

    def settings(self, index: str) -> Settings:
        """Return what is in force for searches of an index."""
        return self._profile(index)[0]

    def rescorers(self) -> list[str]:
        """List the second stages that are installed."""
        return list(plugins.installed("rescorers"))

    def search(self, choice: Choice) -> SearchResult:
        """Search an index as its profile says."""
        settings, profile = self._profile(choice.index)
        rescorer = self._rescorer(choice.rescorer, settings) if choice.rescorer else None
        return search(
            choice.query,
            index=choice.index,
            backend=self._backend,
            rescorer=rescorer,
            top_k=choice.top_k,
            window_size=None if settings.window_size == "auto" else settings.window_size,
            timeout_s=settings.timeout_s,
            profile=profile,
            whole_window=True,
        )

    def _profile(self, index: str) -> tuple[Settings, Profile]:
        if index not in self._profiles:
            settings = load_settings(index=index)
            self._profiles[index] = settings, profile_for(settings, index)
        return self._profiles[index]

    def _rescorer(self, name: str, settings: Settings) -> Rescorer:
        with self._loading:
            key = (name, settings.model, settings.device, settings.dtype, settings.max_length_tokens)
            if key not in self._rescorers:
                self._rescorers[key] = load_rescorer(name, settings)
            return self._rescorers[key]
