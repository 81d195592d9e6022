"""Where and with what code something was measured, as a results page says it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def code_revision() -> str:
    """Return the git revision of this code, with a mark where it was changed since; the version outside of git."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty=-changed", "--abbrev=12", "--exclude=*"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return _version()
    return f"git {answer.stdout.strip()}" if answer.stdout.strip() else _version()


def machine() -> str:
    """Return what this machine is: processor, cores, system, Python."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _version() -> str:
    return f"prorank-search {version('prorank-search')}"


def _processor() -> str:
    if not _CPU_INFO.is_file():
        return platform.processor() or platform.machine()
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
