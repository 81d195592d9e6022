"""A model becomes the default of a PRORANK_HOME, and what follows it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from prorank_search import models, promotions
from prorank_search.errors import ConfigError
from prorank_search.model_files import ADAPTER_FILE, CONTRACT_FILE, read_json, scores_by_answers, sha256_of
from prorank_search.models.cache import build, cache_folder, locked, models_folder
from prorank_search.models.contents import WEIGHTS_FILE, holds_model
from prorank_search.models.registry import FolderSource
from prorank_search.settings import DEFAULT_MODEL, Settings

_HASH_DIGITS = 8


def promote(name_or_path: str, settings: Settings) -> str:
    """Make a model the default; return the name that it is kept under.

    A folder that lies elsewhere, such as a run's checkpoint, is copied to `PRORANK_HOME/models/` under a name that says
    what is in it: another export into that folder changes nothing, and an undo leads back to the same weights. Whether
    it can be loaded is for the caller to try.

    Args:
        name_or_path: What `--model` takes.
        settings: Say which home.

    Raises:
        MissingModelError: It is not on this machine.
        CheckpointError: The folder holds no model.
        ConfigError: It is no model that scores by itself, or the home cannot be written.
    """
    folder = models.model_folder(name_or_path, settings)
    if not ((folder / CONTRACT_FILE).is_file() or scores_by_answers(folder)):
        raise ConfigError(f"{name_or_path!r} is a base without {CONTRACT_FILE}, whose scores mean nothing: train it")
    has_name = folder in models.shipped().values() or folder.parent == models_folder(settings)
    name = name_or_path if has_name else _keep(folder, settings)
    promotions.promote(settings.home, name)
    return name


def followed(settings: Settings) -> Settings:
    """Return settings with the model that is promoted now, where nothing that goes before names another.

    Raises:
        ConfigError: The promotions cannot be read.
    """
    if not follows(settings):
        return settings
    model = promotions.promoted_model(settings.home) or DEFAULT_MODEL
    return settings.changed({"model": model}, _of_promotion(settings))


def follows(settings: Settings) -> bool:
    """Tell whether a promotion decides about the model: no flag, variable, file or caller named one."""
    return settings.origin("model") == _of_promotion(settings) or "model" not in settings.model_fields_set


def _of_promotion(settings: Settings) -> str:
    return str(settings.home / promotions.FILE_NAME)


def _keep(folder: Path, settings: Settings) -> str:
    """Copy a model's folder into the home, unless the same one lies there; return its name."""
    files = [folder / name for name in (CONTRACT_FILE, ADAPTER_FILE, WEIGHTS_FILE)]
    content = "".join(sha256_of(file) for file in files if file.is_file())
    title = str(read_json(folder / CONTRACT_FILE).get("name", "")) if files[0].is_file() else folder.name
    digits = hashlib.sha256(content.encode()).hexdigest()[:_HASH_DIGITS]
    name = f"{re.sub(r'[^A-Za-z0-9]+', '-', title).strip('-') or 'model'}-{digits}"
    target = cache_folder(name, settings)
    try:
        with locked(target):
            if not holds_model(target):
                source = FolderSource(path=folder.resolve())
                build(source, target, lambda _step, _done: None, maven_repository=settings.maven_repository)
    except OSError as error:
        raise ConfigError(f"the model cannot be kept in {target}: {error}; make room there") from error
    return name
