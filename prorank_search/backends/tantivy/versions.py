"""Where the embedded indexes lie on disk: a folder an index, a folder a version, one line that publishes.

home/indexes/NAME/v1/          a tantivy index and its version.json
home/indexes/NAME/v2/
home/indexes/NAME/published    names of the published versions, the present one last; replaced atomically
home/indexes/.locks/NAME       locked (flock) by the one who writes; a killed process frees it
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

from prorank_search.errors import BackendError, IndexNotFoundError, InputError
from prorank_search.storage import write_lock

FORMAT = 1
KEPT = 2
"""Published versions that stay on disk: the present one and the one that `rollback` returns to."""

_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,99}")
_VERSION = re.compile(r"v(\d+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What `version.json` says of a version.

    Attributes:
        analysis: Name of the analysis preset that its texts went through.
        created: When it was made (ISO 8601, UTC).
        format: Layout of the fields inside; another number cannot be read.
        metadata: What else was to be kept of it.
    """

    analysis: str
    created: str
    format: int
    metadata: Mapping[str, object] = field(default_factory=dict)


def index_folder(indexes: Path, index: str) -> Path:
    """Return where an index lies, whether it exists or not.

    Raises:
        InputError: The name cannot be an index name.
    """
    if not _NAME.fullmatch(index):
        message = (
            f"{index!r} cannot be an index name: use lowercase letters, digits, '-', '_' and '.', "
            "at most 100 characters, the first a letter, a digit or '_'"
        )
        raise InputError(message)
    return indexes / index


def index_names(indexes: Path) -> list[str]:
    """List the indexes that have a published version."""
    return sorted(path.parent.name for path in indexes.glob("[!.]*/published"))


def history(folder: Path) -> list[str]:
    """List the published versions of an index, the present one last; none where nothing was published."""
    try:
        return (folder / "published").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []


def published(folder: Path) -> Path:
    """Return the folder of the version that searches see.

    Raises:
        IndexNotFoundError: There is no such index, or none of its versions was ever published.
    """
    names = history(folder)
    if names:
        return folder / names[-1]
    if versions(folder):
        message = f"index {folder.name!r} was never published: its first ingest did not finish, run it again"
        raise IndexNotFoundError(message)
    known = ", ".join(index_names(folder.parent)) or "none"
    message = f"no index {folder.name!r} in {folder.parent}; there are: {known}"
    raise IndexNotFoundError(message)


def publish(folder: Path, version: str) -> None:
    """Let searches see `version` from now on, and forget all but the last published ones."""
    if history(folder)[-1:] != [version]:
        _write(folder / "published", "\n".join([*history(folder), version][-KEPT:]))
    sweep(folder)


def rollback(folder: Path) -> str:
    """Let searches see the version published before the present one; return its name.

    Raises:
        InputError: There is no version before it.
        BackendError: That version is not on disk any longer, or cannot be read.
    """
    published(folder)
    names = history(folder)
    if len(names) == 1:
        message = (
            f"index {folder.name!r} has no published version before {names[0]!r}, so there is nothing to return to"
        )
        raise InputError(message)
    read_info(folder / names[-2])
    _write(folder / "published", "\n".join(names[:-1]))
    return names[-2]


def prune(folder: Path) -> list[str]:
    """Remove every version but the published one; return their names."""
    present = published(folder).name
    doomed = [version for version in versions(folder) if version != present]
    _write(folder / "published", present)
    sweep(folder)
    return doomed


def versions(folder: Path) -> list[str]:
    """List the versions of an index, oldest first, published or not; none where there is no such index."""
    return sorted((path.parent.name for path in folder.glob("v*/version.json")), key=_number)


def create_version(folder: Path, analysis: str, metadata: Mapping[str, object]) -> str:
    """Make the folder of a new version; return the version's name. Unpublished leftovers are removed."""
    number = 1 + max(map(_number, [*versions(folder), *history(folder)]), default=0)
    name = f"v{number}-{uuid4().hex[:8]}"
    sweep(folder)
    (folder / name).mkdir(parents=True)
    info = VersionInfo(analysis, datetime.now(UTC).isoformat(timespec="seconds"), FORMAT, metadata)
    _write(folder / name / "version.json", json.dumps(asdict(info)))
    for made_in in (folder, folder.parent):
        _sync(made_in)
    return name


def sweep(folder: Path) -> None:
    """Remove every version that is not published any longer, or never was."""
    for path in folder.glob("v*"):
        if path.name not in history(folder):
            shutil.rmtree(path)


def read_info(version: Path) -> VersionInfo:
    """Read `version.json`.

    Raises:
        BackendError: It cannot be read, or another release of this library wrote it.
    """
    try:
        info = VersionInfo(**json.loads((version / "version.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"version {version} of an index is damaged ({error}): ingest again with --replace"
        raise BackendError(message) from error
    if info.format != FORMAT:
        message = f"{version} has format {info.format}, this release reads {FORMAT}: ingest again with --replace"
        raise BackendError(message)
    return info


def delete(folder: Path) -> None:
    """Remove an index with all its versions: gone at once for searches, then from the disk."""
    folder.rename(folder.parent / f".deleted-{uuid4().hex}")
    for doomed in folder.parent.glob(".deleted-*"):  # and what a killed process left
        shutil.rmtree(doomed, ignore_errors=True)


def size_bytes(version: Path) -> int:
    """Return the bytes that a version takes on disk.

    Raises:
        BackendError: It is gone: its index was deleted meanwhile.
    """
    try:
        return sum(_size(path) for path in version.iterdir())
    except OSError as error:
        raise BackendError(f"{version} cannot be read: {error}") from error


def lock(folder: Path) -> IO[str]:
    """Take the index's write lock: held until the returned file is closed or the process ends, however it ends.

    Raises:
        IndexLockedError: Somebody else holds it.
        BackendError: Nothing can be written there.
    """
    return write_lock.take(folder.parent / ".locks" / folder.name, folder.name)


def _number(version: str) -> int:
    match = _VERSION.fullmatch(version)
    return int(match.group(1)) if match else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a merge removed it meanwhile
        return 0


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make what was made or renamed in a folder durable: without it a power cut can undo a publish."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
