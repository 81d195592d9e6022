"""One query answered as the settings say: what `search` and `compare` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from prorank_search.profiles import Profile
    from prorank_search.protocols import Rescorer, SearchBackend
    from prorank_search.settings import Settings
    from prorank_search.types import SearchResult


def answer(
    query: str,
    index: str,
    settings: Settings,
    *,
    no_rescore: bool,
    whole_window: bool = False,
    query_body: Path | None = None,
) -> SearchResult:
    """Search an index and warn on stderr where the second stage did not go as it should.

    Args:
        query: What to search for.
        index: Name of the index.
        settings: What is in force for this index.
        no_rescore: Leave the first stage's order.
        whole_window: Return every hit that was rescored, so that both orders can be told.
        query_body: A JSON file with the engine's own query body.

    Raises:
        InputError: The query is empty, or the index does not exist.
    """
    from prorank_search.errors import InputError
    from prorank_search.profiles import profile_for
    from prorank_search.search import search

    if not query.strip():
        raise InputError("the query is empty: give the words to search for")
    profile = profile_for(settings, index, query_body)
    backend = open_backend(settings, index, profile)
    rescorer = None if no_rescore else open_rescorer(settings)
    result = search(
        query,
        index=index,
        backend=backend,
        rescorer=rescorer,
        top_k=settings.top_k,
        window_size=None if settings.window_size == "auto" else settings.window_size,
        timeout_s=settings.timeout_s,
        profile=profile,
        whole_window=whole_window,
    )
    if rescorer is not None and result.hits and result.status.reason:
        warn(result.status.reason)
    return result


def open_backend(settings: Settings, index: str, profile: Profile) -> SearchBackend:
    """Open the first stage and have it look for the index, so that a wrong name is told before a model is loaded.

    Raises:
        InputError: The index does not exist.
        BackendError: The engine does not answer.
    """
    from prorank_search.search import load_backend
    from prorank_search.types import Query

    backend = load_backend(settings)
    backend.search(profile.request(index, Query("", ""), top_k=1))
    return backend


def open_rescorer(settings: Settings) -> Rescorer:
    """Open the second stage; where its extra or its model is missing, say how to do without it.

    Raises:
        MissingExtraError: The rescorer needs a package that is not installed.
        MissingModelError: The model was never pulled.
    """
    from prorank_search.errors import MissingExtraError, MissingModelError
    from prorank_search.search import load_rescorer

    try:
        return load_rescorer(settings=settings)
    except (MissingExtraError, MissingModelError) as error:
        raise type(error)(f"{error}; or see the first stage alone: --no-rescore") from error


def warn(text: str) -> None:
    """Print a warning on stderr that is hard to overlook."""
    typer.secho(f"warning: {text}", err=True, fg="yellow", bold=True)
