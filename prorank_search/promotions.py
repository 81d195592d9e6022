"""Which model this PRORANK_HOME searches with where nobody names one, and which it was before.

`promoted.json` in the home holds the promotions, the newest last: that one is in force, and an undo takes it away. The
settings read it, so that every command, the service and the pages search with the same model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from prorank_search.errors import ConfigError, InputError
from prorank_search.storage.whole_files import alone_with, write_whole

FILE_NAME = "promoted.json"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model that was made the default.

    Attributes:
        model: What `--model` takes.
        at: When, ISO 8601 in UTC.
    """

    model: str
    at: str


def promotions(home: Path) -> list[Promotion]:
    """Return the promotions of a home, the one in force last.

    Raises:
        ConfigError: The file cannot be read.
    """
    file = home / FILE_NAME
    try:
        return [Promotion(**row) for row in json.loads(file.read_text(encoding="utf-8"))["promotions"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{file} cannot be read ({error}): delete it, and promote the model again") from error


def promoted_model(home: Path) -> str | None:
    """Return the model that is in force in a home; None where none was promoted.

    Raises:
        ConfigError: The file cannot be read.
    """
    known = promotions(home)
    return known[-1].model if known else None


def promote(home: Path, model: str) -> None:
    """Make a model the default of a home; one that is it already stays.

    Raises:
        ConfigError: The file cannot be read or written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     promote(Path(folder), "first")
        ...     promote(Path(folder), "second")
        ...     demote(Path(folder)).model, promoted_model(Path(folder))
        ('second', 'first')
    """
    with _alone(home):
        known = promotions(home)
        if not known or known[-1].model != model:
            _write(home, [*known, Promotion(model, datetime.now(UTC).isoformat(timespec="seconds"))])


def demote(home: Path) -> Promotion:
    """Undo the last promotion of a home; return it.

    Raises:
        InputError: There is none.
        ConfigError: The file cannot be read or written.
    """
    with _alone(home):
        known = promotions(home)
        if not known:
            raise InputError(f"no model was promoted in {home}: there is nothing to undo")
        _write(home, known[:-1])
        return known[-1]


def _write(home: Path, promotions: list[Promotion]) -> None:
    write_whole(home / FILE_NAME, json.dumps({"promotions": [asdict(row) for row in promotions]}, indent=1))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one process at a time change the file."""
    try:
        with alone_with(home / FILE_NAME):
            yield
    except OSError as error:
        raise ConfigError(f"the default model of {home} cannot be changed: {error}") from error
