"""Models by name: pull, list, show, and the folder in which a model lies.

A name is one of a shipped ProRank model (`prorank_search/adapters/NAME/`), of another model in `sources.toml`, or of
what was pulled from a folder or the hub. Pulled models lie in `PRORANK_HOME/models/NAME/`, each with its facts in
`source.json`. Nothing but `pull` and `terms_of` uses the network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from prorank_search.errors import CheckpointError, ConfigError, MissingModelError
from prorank_search.model_files import CONTRACT_FILE, FACTS_FILE, read_json
from prorank_search.models import licenses
from prorank_search.models.cache import (
    build,
    cache_folder,
    is_damaged,
    locked,
    models_folder,
    size_mb,
)
from prorank_search.models.contents import (
    EMBEDDING_FILE,
    ONNX_FILE,
    TOKENIZER_FILE,
    ModelRescorer,
    holds_model,
    holds_weights,
    rescorer_for,
)
from prorank_search.models.fetch import Progress
from prorank_search.models.licenses import Terms
from prorank_search.models.registry import FolderSource, HubSource, Source, registry
from prorank_search.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One line of `prorank models list`.

    Attributes:
        name: What `--model` and `prorank models pull` take.
        state: shipped: a ProRank model inside this package; pulled: on this machine; available: can be pulled.
        ready: Whether it can be used now, without a pull.
        rescorer: Which one takes it; empty: its files will tell once it is pulled.
        base: The base model of a ProRank model; empty where there is none.
        license: The licence of the weights.
        size_mb: What it takes on disk; for an available one, what it will take.
        origin: Where it comes from.
    """

    name: str
    state: Literal["shipped", "pulled", "available"]
    ready: bool
    rescorer: str
    base: str
    license: str
    size_mb: int
    origin: str


def model_folder(name_or_path: str, settings: Settings, *, rescorer: ModelRescorer = "prorank") -> Path:
    """Return the local folder of a model: one with weights, or with an adapter and its `prorank.json`.

    Args:
        name_or_path: A shipped model, a base, the name or hub id of what was pulled, or a folder's path. Where a name
            and a path read the same, the name counts; write `./NAME` for the path.
        settings: Says where the pulled models lie.
        rescorer: Which one wants it.

    Raises:
        MissingModelError: It is not on this machine; the message names the command that fetches it.
        CheckpointError: The folder holds no model.
        ConfigError: It is a model for another rescorer.
    """
    source = registry(settings).get(name_or_path)
    if source is not None and source.rescorer is not None:
        _check_rescorer(name_or_path, source.rescorer, rescorer, settings)
    folder = _folder_of(name_or_path, settings)
    _check_rescorer(name_or_path, rescorer_for(folder), rescorer, settings)
    return folder


def _folder_of(name_or_path: str, settings: Settings) -> Path:
    if name_or_path in shipped():
        return shipped()[name_or_path]
    if _NAME.fullmatch(name_or_path) or _HUB_ID.fullmatch(name_or_path):
        pulled = cache_folder(name_or_path, settings)
        if holds_model(pulled):
            return pulled
        if name_or_path in registry(settings):
            raise _missing(name_or_path)
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        if _HUB_ID.fullmatch(name_or_path):
            raise _missing(name_or_path)
        raise MissingModelError(
            f"no model {name_or_path!r}: it is no folder here, and 'prorank models list' shows which names there are"
        )
    if not holds_model(path):
        raise CheckpointError(
            f"{path} holds no model: config.json with model.safetensors is needed, {CONTRACT_FILE} with an adapter, "
            f"or {EMBEDDING_FILE} with {ONNX_FILE} and {TOKENIZER_FILE}"
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
    """Fetch a model into the cache and return its folder. What is there, and whole, is not fetched again.

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
        folder = shipped()[source]
    else:
        name, found = _source(source, settings, revision)
        folder = cache_folder(name, settings)
        if not _is_there(folder, found):
            _pull_into(folder, found, settings, progress, accepted=accept_license)
    base = _missing_base(folder, settings)
    if base:
        pull(base, settings, accept_license=accept_license, progress=progress)
    return folder


def terms_of(source: str, settings: Settings) -> Terms | None:
    """Return the terms that have to be accepted before a model is pulled, fetching their text where it is in a wheel.

    Returns:
        None where there is nothing to accept: the licence is free, was accepted before, or the model is here.
    """
    if source in shipped():
        return terms_of(base_of(shipped()[source]), settings)
    name, found = _source(source, settings, None)
    if holds_model(cache_folder(name, settings)):
        return None
    return licenses.unaccepted(name, found, settings)


def shipped() -> dict[str, Path]:
    """Return the ProRank models inside this package: name to folder."""
    root = Path(str(files("prorank_search"))) / "adapters"
    return {contract.parent.name: contract.parent for contract in sorted(root.glob(f"*/{CONTRACT_FILE}"))}


def base_of(folder: Path) -> str:
    """Return the base model that a folder's contract names; empty where it names none, or there is no contract.

    Raises:
        CheckpointError: The contract cannot be read.
    """
    contract = folder / CONTRACT_FILE
    return str(read_json(contract).get("base", "")) if contract.is_file() else ""


def list_models(settings: Settings) -> list[ModelInfo]:
    """Return the shipped models, then the pulled ones, then what can be pulled, each by name."""
    ours = [_shipped_info(name, folder, settings) for name, folder in shipped().items()]
    pulled = [
        _pulled_info(facts.parent, settings) for facts in sorted(models_folder(settings).glob(f"[!.]*/{FACTS_FILE}"))
    ]
    here = {info.name for info in pulled}
    available = [
        ModelInfo(name, "available", False, it.rescorer or "", "", it.license, it.disk_mb, it.origin)  # noqa: FBT003
        for name, it in registry(settings).items()
        if name not in here
    ]
    return [*ours, *pulled, *available]


def describe(name_or_path: str, settings: Settings) -> dict[str, object]:
    """Return what is known of a model: its folder, its size, its contract or the facts of its base."""
    if name_or_path in registry(settings) and not holds_model(cache_folder(name_or_path, settings)):
        source = registry(settings)[name_or_path]
        facts = source.model_dump(mode="json", exclude_none=True)
        return {"name": name_or_path, "state": "available", "rescorer": source.rescorer, **facts}
    folder = _folder_of(name_or_path, settings)
    known = {
        key: read_json(folder / name)
        for key, name in (("contract", CONTRACT_FILE), ("source", FACTS_FILE))
        if (folder / name).is_file()
    }
    about = {"name": name_or_path, "folder": str(folder), "size_mb": size_mb(folder), "rescorer": rescorer_for(folder)}
    return about | known


def _check_rescorer(name: str, takes: ModelRescorer, wants: ModelRescorer, settings: Settings) -> None:
    if takes == wants:
        return
    fitting = [model.name for model in list_models(settings) if model.rescorer == wants]
    raise ConfigError(
        f"{name!r} is a model for the rescorer {takes!r}, not for {wants!r}: give --rescorer {takes}, "
        f"or another --model ({', '.join(fitting) or 'a folder'})"
    )


def _missing(name: str) -> MissingModelError:
    return MissingModelError(
        f"the model {name!r} is not on this machine: run 'prorank models pull {name}'; "
        "'prorank models list' shows which names there are"
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
        return found.origin, found
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
    if not holds_model(path):
        raise CheckpointError(
            f"{path} holds no model: config.json with model.safetensors, or {CONTRACT_FILE}, is missing"
        )


def _missing_base(folder: Path, settings: Settings) -> str:
    """Return the base that a model without weights of its own still needs; empty where it needs none."""
    if not (folder / CONTRACT_FILE).is_file() or holds_weights(folder):
        return ""
    base = base_of(folder)
    return "" if holds_model(cache_folder(base, settings)) else base


def _is_there(folder: Path, source: Source) -> bool:
    """Return whether a source need not be fetched; a folder may hold something new each time."""
    return holds_model(folder) and not is_damaged(folder) and not isinstance(source, FolderSource)


def _pull_into(folder: Path, source: Source, settings: Settings, progress: Progress, *, accepted: bool) -> None:
    try:
        with locked(folder):
            if not _is_there(folder, source):
                _check_license(folder.name, source, settings, accepted=accepted)
                build(source, folder, progress, maven_repository=settings.maven_repository)
    except OSError as error:
        raise ConfigError(
            f"the model cannot be kept in {folder}: {error}; make room, or set PRORANK_HOME to another folder"
        ) from error


def _check_license(name: str, source: Source, settings: Settings, *, accepted: bool) -> None:
    terms = licenses.unaccepted(name, source, settings)
    if terms is None:
        return
    if not accepted:
        raise ConfigError(
            f"{name!r} comes under the {terms.license}, which is not free; its text: {terms.text or 'unknown'}. "
            f"If you accept it: prorank models pull {name} --accept-license"
        )
    licenses.accept(name, terms, settings)


def _shipped_info(name: str, folder: Path, settings: Settings) -> ModelInfo:
    ready = not _missing_base(folder, settings)
    license_ = read_json(folder / CONTRACT_FILE)["license"]
    return ModelInfo(name, "shipped", ready, "prorank", base_of(folder), license_, size_mb(folder), "this package")


def _pulled_info(folder: Path, settings: Settings) -> ModelInfo:
    facts = read_json(folder / FACTS_FILE)
    base = base_of(folder)
    ready = not _missing_base(folder, settings)
    return ModelInfo(
        folder.name, "pulled", ready, rescorer_for(folder), base, facts["license"], size_mb(folder), facts["origin"]
    )
