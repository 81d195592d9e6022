"""The second stage as measuring commands use it: behind the score cache, loud about what is wrong with it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli.answer import open_rescorer, warn
from prorank_search.cli.interruption import interruptible

if TYPE_CHECKING:
    from prorank_search.profiles import Profile
    from prorank_search.protocols import Rescorer
    from prorank_search.rescore import RescoreOptions
    from prorank_search.settings import Settings

NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Score everything anew, so that the time taken means something.")
]


def cached_rescorer(settings: Settings, *, no_cache: bool) -> Rescorer:
    """Open the rescorer, behind the score cache unless that is switched off; warn where its scores mean nothing.

    Raises:
        ConfigError: The model, its extra or the cache cannot be used.
    """
    rescorer = open_rescorer(settings)
    if rescorer.info.reason:
        warn(f"the figures of the second stage say nothing about ProRank: {rescorer.info.reason}")
    return remembering(rescorer, settings, no_cache=no_cache)


def remembering(rescorer: Rescorer, settings: Settings, *, no_cache: bool) -> Rescorer:
    """Put a rescorer behind the score cache, unless that is switched off.

    Raises:
        ConfigError: The cache cannot be used.
    """
    from prorank_search.evaluation import score_cache

    if no_cache or not settings.score_cache_mb:
        return rescorer
    cache = score_cache.open_score_cache(settings.home / "cache" / "scores.sqlite", settings.score_cache_mb)
    return score_cache.remembering(rescorer, cache)


def interruptible_scoring(*, no_cache: bool) -> AbstractContextManager[None]:
    """End the command where a person interrupts it, and say whether the scores so far are kept."""
    kept = "without the cache nothing is kept, to begin again" if no_cache else "what was scored is kept, to go on"
    return interruptible(f"{kept} type")


def options_of(profile: Profile, window_size: int) -> RescoreOptions:
    """Return how an index's profile has it rescored; a rescorer that fails ends the command."""
    from prorank_search.rescore import RescoreOptions

    return RescoreOptions(
        window_size=window_size,
        blend=profile.blend,
        text_of=profile.text_of,
        instruction=profile.instruction,
        on_failure="error",
    )
