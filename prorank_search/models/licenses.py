"""Licences that are not free: their text, and whether the user accepted them. Asked for once, kept in PRORANK_HOME."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prorank_search.errors import ConfigError
from prorank_search.models import wheels
from prorank_search.models.registry import FREE_LICENSES, PinnedSource, Source
from prorank_search.settings import Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """What has to be accepted.

    Attributes:
        license: The licence's name.
        text: The file with its text; None where the registry does not say where that is.
    """

    license: str
    text: Path | None


def unaccepted(name: str, source: Source, settings: Settings) -> Terms | None:
    """Return the terms of a model that the user has yet to accept; None where there are none.

    Only the registry names licences: whoever names a folder or a hub id has seen what lies there.
    """
    if not isinstance(source, PinnedSource) or source.license in FREE_LICENSES:
        return None
    if _accepted(_record(name, settings)) == source.license:
        return None
    return Terms(source.license, _text(name, source, settings))


def accept(name: str, terms: Terms, settings: Settings) -> None:
    """Remember that the user accepted the terms of a model."""
    record = {"license": terms.license, "accepted": datetime.now(UTC).isoformat(timespec="seconds")}
    path = _record(name, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")


def _record(name: str, settings: Settings) -> Path:
    return settings.home / "licenses" / f"{name}.json"


def _accepted(record: Path) -> str:
    if not record.is_file():
        return ""
    try:
        return str(json.loads(record.read_text("utf-8"))["license"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{record} cannot be read: {error}; delete it to be asked again") from error


def _text(name: str, source: PinnedSource, settings: Settings) -> Path | None:
    if source.terms_package is None or source.terms_file is None:
        return None
    text = _record(name, settings).with_suffix(Path(source.terms_file).suffix)
    if not text.is_file():
        text.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=text.parent) as unpacked:
            wheels.unpack(source.terms_package, Path(unpacked))
            (Path(unpacked) / source.terms_file).replace(text)
    return text
