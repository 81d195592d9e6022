"""Which models a service has, by the names that requests may give them, and where each comes from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeGuard, get_args

from prorank_search import models, plugins
from prorank_search.errors import ConfigError, ProRankError
from prorank_search.models import promotion
from prorank_search.models.cache import size_mb
from prorank_search.models.contents import ModelRescorer
from prorank_search.profiles import Profile, load_profiles
from prorank_search.protocols import Rescorer
from prorank_search.rescorers.chain import part_settings
from prorank_search.serving.shelf import Source
from prorank_search.settings import Settings

Open = Callable[[Settings], Rescorer]
"""Loads the model that some settings name."""


_CHAIN = "chain"


def source_of(settings: Settings, open_rescorer: Callable[[], Rescorer]) -> Source:
    """Return the source of the model that a service always has; where a promotion decides, it changes with it."""
    return Source(open_rescorer, mark=lambda: mark_of(promotion.followed(settings)), stays=True)


def other_sources(settings: Settings, open_rescorer: Open) -> dict[str, Source]:
    """Return the models beside it by name: those of `more_models`, and those that an index's profile names.

    Raises:
        ConfigError: One of `more_models` is not on this machine, or has no room in `more_models_mb`.
    """
    found = {Path(name).name: _source(_settings_for(settings, name), open_rescorer) for name in settings.more_models}
    for name, source in found.items():
        if source.size_mb > settings.more_models_mb:
            raise ConfigError(
                f"the model {name!r} takes {source.size_mb} MB, and more_models_mb is {settings.more_models_mb}: "
                "raise it, or take the model out of more_models"
            )
    for profile in load_profiles(settings.config).values():
        own = settings_of(settings, profile)
        stays = profile.model is not None and promotion.follows(settings)
        if stays or name_of(own) != name_of(settings):
            found.setdefault(name_of(own), _source(own, open_rescorer))
    return found


def name_of(settings: Settings) -> str:
    """Return what requests call the model that some settings name."""
    if settings.rescorer == _CHAIN:
        return " > ".join(map(str, settings.chain))
    return Path(settings.model).name if _has_models(settings.rescorer) else settings.rescorer


def settings_of(settings: Settings, profile: Profile) -> Settings:
    """Return the settings of searches with a profile; flags and variables take precedence."""
    changes = _said(
        settings,
        rescorer=profile.rescorer,
        model=profile.model,
        chain=profile.chain,
        window_size=profile.window_size,
        timeout_s=profile.timeout_s,
    )
    given = Settings.model_validate({**settings.model_dump(include=settings.model_fields_set), **changes})
    return settings.changed({key: getattr(given, key) for key in changes})


def model_of(settings: Settings, profile: Profile) -> str | None:
    """Return the name of the model that a profile asks for; None: the one that the service always has."""
    now = promotion.followed(settings)
    if profile.chain is None:  # each search asks: to build settings takes longer than all else before the engine
        own = now.changed(_said(now, rescorer=profile.rescorer, model=profile.model))
    else:
        own = settings_of(now, profile)
    return None if name_of(own) == name_of(now) else name_of(own)


def mark_of(settings: Settings) -> object:
    """Return something that changes when another model lies where the settings say; None where there are no files.

    Raises:
        ProRankError: No model lies there.
    """
    folders = _folders(settings)
    try:
        files = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
        return [(path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for path in files if (stat := path.stat())]
    except OSError as error:
        raise ConfigError(f"the model {settings.model!r} is being replaced") from error


def _said(settings: Settings, **said: object) -> dict[str, object]:
    """Return what a profile says, but for what a flag or a variable says."""
    return {key: value for key, value in said.items() if value is not None and not settings.is_by_hand(key)}


def _source(settings: Settings, open_rescorer: Open) -> Source:
    try:
        size = sum(map(size_mb, _folders(settings)))
    except ProRankError:
        size = 0  # whoever asks for it is told what is wrong with it
    return Source(partial(open_rescorer, settings), size, partial(mark_of, settings))


def _settings_for(settings: Settings, name: str) -> Settings:
    if name in plugins.installed("rescorers"):
        return settings.changed({"rescorer": name})
    own = settings.changed({"model": name, "rescorer": models.describe(name, settings)["rescorer"]})
    _folders(own)
    return own


def _folders(settings: Settings) -> list[Path]:
    if settings.rescorer == _CHAIN:
        return [folder for own in part_settings(settings) for folder in _folders(own)]
    if not _has_models(settings.rescorer):
        return []
    folder = models.model_folder(settings.model, settings, rescorer=settings.rescorer)
    base = models.base_of(folder)
    return [folder, *([models.model_folder(base, settings)] if base else [])]


def _has_models(rescorer: str) -> TypeGuard[ModelRescorer]:
    return rescorer in get_args(ModelRescorer)
