"""Commands of `prorank` that a page waits for, and what an output says at its end."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from prorank_search import jobs
from prorank_search.errors import InputError


class TimeUpError(InputError):
    """A command did not end within the time that a page waits for it."""


def answer_of(*arguments: str, timeout_s: float) -> Any:  # noqa: ANN401 (JSON)
    """Run `prorank` with these arguments to its end; return what it printed as JSON, whatever its exit code.

    Raises:
        InputError: It printed no JSON; the message is its last line.
        TimeUpError: It did not end in time.
    """
    try:
        ran = subprocess.run(jobs.prorank(*arguments), capture_output=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise TimeUpError(
            f"`prorank {arguments[0]}` did not end within {timeout_s:.0f} s: run it in a terminal"
        ) from error
    try:
        return json.loads(ran.stdout)
    except ValueError as error:
        said = last_line(ran.stderr.decode("utf-8", "replace"))
        raise InputError(said or f"`prorank {arguments[0]}` ended with {ran.returncode} and said nothing") from error


def complaint(output: str) -> str:
    """Return why a command failed, as its output says."""
    return last_line(output) or "it said nothing"


def last_line(output: str) -> str:
    r"""Return the last line of an output, which says why a command failed; empty where there is none.

    Example:
        >>> last_line("some progress\nerror: the disk is full\n\n")
        'the disk is full'
    """
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else ""
