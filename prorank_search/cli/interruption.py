"""Ctrl-C in long work: exit code 130, and a line that says what is kept and what to type."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

INTERRUPTED = 130


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """End the command where a person interrupts it; `advice` stands above the same command, to be typed again."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(f"interrupted; {advice}:\n  {shlex.join(['prorank', *sys.argv[1:]])}", err=True)
        raise typer.Exit(INTERRUPTED) from error
