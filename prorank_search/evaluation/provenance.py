"""Where and with what code something was measured, as a results page says it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def code_revision() -> str:
    """Return the git revision of this code, with a mark where it was changed since; the version where git has it not.

    An installed package that lies in somebody else's repository is none of its revisions.
    """
    if not _git("ls-files", Path(__file__).name):
        return _version()
    return f"git {_git('describe', '--always', '--dirty=-changed', '--abbrev=12', '--exclude=*')}"


def machine() -> str:
    """Return what this machine is: processor, cores, system, Python."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _git(*arguments: str) -> str:
    """Return what git says in this file's folder; nothing where it fails or there is none."""
    try:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        ).stdout.strip()
    except FileNotFoundError:
        return ""


def _version() -> str:
    return f"prorank-search {version('prorank-search')}"


def _processor() -> str:
    if not _CPU_INFO.is_file():
        return platform.processor() or platform.machine()
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
