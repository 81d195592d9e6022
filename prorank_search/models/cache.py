"""Pulled models on disk: where each lies, whether it is whole, and how it gets there without half of it being seen."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prorank_search.errors import ConfigError, MissingModelError
from prorank_search.model_files import FACTS_FILE, read_facts, sha256_of
from prorank_search.models.contents import holds_model, weights_file
from prorank_search.models.fetch import Progress, fetch
from prorank_search.models.registry import PinnedSource, Source
from prorank_search.settings import Settings
from prorank_search.storage.file_lock import hold


def models_folder(settings: Settings) -> Path:
    """Return the folder of all pulled models."""
    return settings.home / "models"


def cache_folder(name: str, settings: Settings) -> Path:
    """Return where a pulled model lies or will lie; in a hub id the slash becomes two dashes."""
    return models_folder(settings) / name.replace("/", "--")


def is_damaged(folder: Path) -> bool:
    """Return whether the weights in a folder are no longer those that were pulled."""
    noted = read_facts(folder).get("weights_sha256")
    return bool(noted) and sha256_of(weights_file(folder)) != noted


def size_mb(folder: Path) -> int:
    """Return what a folder takes on disk, in megabytes."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1_000_000)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time pull a model, and clear away what a killed one left."""
    with hold(folder.parent / f".{folder.name}.lock"):
        for left in folder.parent.glob(f".{folder.name}.partial*"):
            shutil.rmtree(left)
        yield


def build(source: Source, folder: Path, progress: Progress, *, maven_repository: str | None) -> None:
    """Fetch a model beside its folder, then move it there whole; what lay there is replaced.

    Raises:
        MissingModelError: It cannot be fetched, or is not what it should be.
        ConfigError: The disk is too full.
        OSError: The folder cannot be written.
    """
    _check_room(source, folder)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial", dir=folder.parent))
    try:
        fetch(source, staged, progress, maven_repository=maven_repository)
        progress("checking and keeping it", 0.95)
        _write_facts(folder.name, source, staged)
        staged.chmod(0o755)
        if folder.exists():
            folder.replace(staged / "replaced")
        staged.replace(folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    progress("done", 1.0)


def _write_facts(name: str, source: Source, folder: Path) -> None:
    if not holds_model(folder):
        raise MissingModelError(f"{source.origin} holds no model: config.json or model.safetensors is missing")
    weights = weights_file(folder)
    facts = {
        "name": name,
        "origin": source.origin,
        "weights_sha256": sha256_of(weights) if weights.is_file() else None,
        "pulled": datetime.now(UTC).isoformat(timespec="seconds"),
        **source.model_dump(mode="json", exclude_none=True),
    }
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _needed_mb(source: Source) -> int:
    download_mb = 2 * source.download_mb if isinstance(source, PinnedSource) else 0
    return source.disk_mb + download_mb


def _check_room(source: Source, folder: Path) -> None:
    free_mb = shutil.disk_usage(folder.parent).free // 1_000_000
    if free_mb < _needed_mb(source):
        raise ConfigError(
            f"the model {folder.name!r} needs {_needed_mb(source)} MB, and {folder.parent} has {free_mb} MB free: "
            "make room, or set PRORANK_HOME to a folder on a larger disk"
        )
