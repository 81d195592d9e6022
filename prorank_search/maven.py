"""Artifacts from Maven repositories without Java: fetched by jgo, checked against sha256 that are pinned here.

jgo knows the public repository; PRORANK_MAVEN_REPOSITORY names another one in its place, such as a company's mirror.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from prorank_search.errors import MissingArtifactError
from prorank_search.outbound import check_url
from prorank_search.plugins import missing_extra

if TYPE_CHECKING:
    from jgo.maven import MavenContext

_log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
"""Told of each step: what is done now, and the part of the work that lies behind (0 to 1)."""

_AT_ONCE = 8
_TIMEOUT_S = 180


def fetch(
    pinned: Mapping[str, str | None],
    folder: Path,
    progress: Progress = lambda _step, _done: None,
    *,
    repository: str | None = None,
) -> dict[str, Path]:
    """Return where each artifact lies, fetched unless it was before; several at once.

    A file appears in the folder when its sha256 is the pinned one, never before: a run that was killed left nothing
    that looks whole.

    Args:
        pinned: The sha256 of each artifact, by `group:artifact:version[:packaging]`; None: the
            caller checks what is inside.
        folder: Where artifacts are kept, in the layout of a Maven repository.
        progress: Told after each artifact.
        repository: Address of the Maven repository; None: the public one.

    Raises:
        MissingArtifactError: An artifact cannot be fetched, or is not the pinned one.
        MissingExtraError: jgo is not installed.
        ConfigError: `repository` is no address that may be asked.
        OSError: The folder cannot be written.
    """
    places = {coordinate: folder / relative_path(coordinate) for coordinate in pinned}
    missing = [coordinate for coordinate, place in places.items() if not place.is_file()]
    if not missing:
        return places
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=folder) as incoming, ThreadPoolExecutor(_AT_ONCE) as pool:
        context = _context(Path(incoming), repository)
        under_way = {
            pool.submit(_fetch_one, context, coordinate, pinned[coordinate], places[coordinate]): coordinate
            for coordinate in missing
        }
        try:
            for done, finished in enumerate(as_completed(under_way), start=1):
                finished.result()
                progress(f"fetching {under_way[finished]}", done / len(missing))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return places


def relative_path(coordinate: str) -> Path:
    """Return where an artifact lies inside a Maven repository.

    Example:
        >>> relative_path("org.example:tool:1.2").as_posix()
        'org/example/tool/1.2/tool-1.2.jar'
        >>> relative_path("org.example:tool:1.2:zip").as_posix()
        'org/example/tool/1.2/tool-1.2.zip'
    """
    group, artifact, version, packaging = _parts(coordinate)
    return Path(*group.split("."), artifact, version, f"{artifact}-{version}.{packaging}")


def _parts(coordinate: str) -> tuple[str, str, str, str]:
    group, artifact, version, *packaging = coordinate.split(":")
    return group, artifact, version, packaging[0] if packaging else "jar"


def _context(folder: Path, repository: str | None) -> MavenContext:
    try:
        from jgo.maven import MavenContext
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="fetching from a Maven repository") from error
    if repository:
        check_url(repository, "the Maven repository")
    repositories = {"given": repository} if repository else None
    return MavenContext(repo_cache=folder, remote_repos=repositories, timeout=_TIMEOUT_S)


def _fetch_one(context: MavenContext, coordinate: str, sha256: str | None, place: Path) -> None:
    import requests

    group, artifact, version, packaging = _parts(coordinate)
    wanted = context.project(group, artifact).at_version(version).artifact(packaging=packaging)
    try:
        fetched = Path(wanted.resolve())
    except (RuntimeError, requests.RequestException) as error:
        raise MissingArtifactError(
            f"cannot fetch {coordinate} from a Maven repository: {error}\n"
            "Check the network, then run the same command again: what was fetched is kept."
        ) from error
    with fetched.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 not in {None, found}:
        raise MissingArtifactError(
            f"{coordinate} is not what is expected: its sha256 is {found}, pinned is {sha256}. It was thrown away; "
            "run the same command again, and if it says the same, look at what answers for the Maven repository."
        )
    _log.debug("fetched %s", coordinate)
    place.parent.mkdir(parents=True, exist_ok=True)
    fetched.replace(place)
