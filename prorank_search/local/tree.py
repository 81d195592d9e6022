"""The folder that a server runs from: its jars, modules and plugins, put together from Maven artifacts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from prorank_search.local.lock import Lock, Module
from prorank_search.maven import Progress, fetch

_STAMP = "made-of.sha256"
_FETCHING = 0.9
_JAVA = {2: "11", 3: "21"}
_UNUSED_JARS = "onnxruntime_gpu-*.jar"
"""Three quarters of ml-commons, for models that the server computes on a GPU itself."""


def assemble(
    lock: Lock,
    folder: Path,
    artifacts: Path,
    progress: Progress,
    *,
    with_ml: bool = False,
    repository: str | None = None,
) -> None:
    """Make the folder unless it is there as the lock says.

    It is made beside its place and moved there when it is whole. Of two that make it at once the first one's stays: a
    server may run from it already.

    Args:
        lock: What the server is made of.
        folder: Where it goes; what is there is replaced.
        artifacts: Where fetched artifacts are kept.
        progress: Told of each step.
        with_ml: Add the plugins: ml-commons, neural search, k-NN.
        repository: Address of the Maven repository; None: the public one.

    Raises:
        MissingArtifactError: An artifact cannot be had.
        MissingExtraError: The extra `local` is not installed.
        OSError: The folder cannot be written.
    """
    if is_whole(lock, folder, with_ml=with_ml):
        return
    pinned = lock.pinned(with_ml=with_ml)
    jars = fetch(pinned, artifacts, lambda step, done: progress(step, _FETCHING * done), repository=repository)
    progress("putting the server together", _FETCHING)
    folder.parent.mkdir(parents=True, exist_ok=True)
    growing = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(growing, ignore_errors=True)
    _link(lock.lib, jars, growing / "lib")
    for name, module in lock.modules.items():
        _add_module(name, module, lock, jars, growing / "modules" / name)
    for expected in ("bin", "extensions", "plugins"):
        (growing / expected).mkdir()
    if with_ml:
        _add_plugins(lock, jars, growing / "plugins")
    (growing / _STAMP).write_text(_stamp(lock, with_ml=with_ml), encoding="utf-8")
    _open_to_all(growing)
    if is_whole(lock, folder, with_ml=with_ml):
        shutil.rmtree(growing)
        return
    shutil.rmtree(folder, ignore_errors=True)
    growing.rename(folder)


def is_whole(lock: Lock, folder: Path, *, with_ml: bool) -> bool:
    """Tell whether the folder is there as the lock says."""
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _stamp(lock, with_ml=with_ml)


def _stamp(lock: Lock, *, with_ml: bool) -> str:
    """Return what tells one folder's content from another's."""
    return hashlib.sha256(json.dumps(lock.pinned(with_ml=with_ml), sort_keys=True).encode()).hexdigest()


def _link(coordinates: Iterable[str], jars: Mapping[str, Path], folder: Path) -> None:
    """Put jars into a folder, as links where the file system can."""
    folder.mkdir(parents=True, exist_ok=True)
    for coordinate in coordinates:
        source = jars[coordinate]
        try:
            (folder / source.name).hardlink_to(source)
        except OSError:
            shutil.copyfile(source, folder / source.name)


def _add_module(name: str, module: Module, lock: Lock, jars: Mapping[str, Path], folder: Path) -> None:
    _link(module.jars, jars, folder)
    described = {
        "description": name,
        "version": lock.version,
        "name": name,
        "classname": module.plugin_class,
        "java.version": _JAVA[lock.major],
        "opensearch.version": lock.version,
        "has.native.controller": "false",
    }
    lines = [f"{key}={value}\n" for key, value in described.items()]
    (folder / "plugin-descriptor.properties").write_text("".join(lines), encoding="utf-8")
    policy = Path(__file__).parent / "policies" / f"{name}.policy"
    if lock.major == 2 and policy.is_file():  # noqa: PLR2004 (3.x has no security manager)
        shutil.copyfile(policy, folder / "plugin-security.policy")


def _add_plugins(lock: Lock, jars: Mapping[str, Path], folder: Path) -> None:
    """Unpack the archives; each says itself what it is called."""
    for coordinate in lock.plugins:
        with zipfile.ZipFile(jars[coordinate]) as archive:
            descriptor = archive.read("plugin-descriptor.properties").decode("utf-8")
            name = next(line[len("name=") :].strip() for line in descriptor.splitlines() if line.startswith("name="))
            archive.extractall(folder / name)
        for unused in (folder / name).glob(_UNUSED_JARS):
            unused.unlink()
        _link(lock.plugin_jars.get(name, ()), jars, folder / name)
        jars[coordinate].unlink()  # all of it lies in the folder now


def _open_to_all(folder: Path) -> None:
    """Let everybody read the folder: a server that root starts runs as another user."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
