"""Who the server runs as: whoever starts it, but never root, which OpenSearch refuses."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_NAME = "nobody"
_SYSTEM_FOLDER = Path("/var/lib/prorank")
_OPEN = 0o005
"""Others may read and enter."""


@dataclass(frozen=True)
class Account:
    """A user and group of this machine, by number."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return `nobody` where this process is root's; None: the server runs as the user who starts it."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    entry = pwd.getpwnam(_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def server_home(home: Path, account: Account | None) -> Path:
    """Return where servers and their data lie: PRORANK_HOME, or a folder of the system where root's is closed.

    Root's home folder is closed to others by default, so `nobody` could not enter a PRORANK_HOME in it.
    """
    return home if account is None or _can_enter(home) else _SYSTEM_FOLDER


def own(folder: Path, account: Account | None) -> None:
    """Make a folder with all that is in it the account's."""
    if account is not None:
        for path in [folder.resolve(), *folder.rglob("*")]:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def take_back(folder: Path, account: Account | None) -> None:
    """Make a folder this process's own again, so that the account can leave no link there to be written through."""
    if account is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, os.geteuid(), os.getegid())
    folder.chmod(0o755)


def java_for(java: Path, folder: Path, account: Account | None) -> Path:
    """Return the Java that the account can run: the given one, or a copy of it in `folder`."""
    if account is None or _can_enter(java):
        return java
    runtime = java.parent.parent
    copied = folder / f"java-{runtime.stat().st_mtime_ns}"
    if not copied.is_dir():
        growing = folder / f".java-{os.getpid()}"
        shutil.copytree(runtime, growing)
        growing.rename(copied)
    return copied / "bin" / java.name


def _can_enter(path: Path) -> bool:
    """Tell whether everybody may reach a path through the folders above it; what does not exist yet is fine."""
    steps = [step for step in (path.resolve(), *path.resolve().parents) if step.exists()]
    return all(step.stat().st_mode & _OPEN == _OPEN for step in steps)
