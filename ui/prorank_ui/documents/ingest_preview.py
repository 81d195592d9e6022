"""What a dry run of an ingest shows, as HTML: pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prorank_ui.drawing.plain_table import drawn, terms
from prorank_ui.drawing.wording import count

_SHOWN_CHARACTERS = 240
_SHOWN_TERMS = 60
_SHOWN_PASSAGES = 3

DryRun = Mapping[str, Any]
"""What `prorank ingest --dry-run` prints."""


def headline(dry_run: DryRun) -> str:
    """Return what was looked at.

    Example:
        >>> headline({"sample": {"records": 9, "usable": 8, "duplicates": 2}, "analysis": "english"})
        'Of the first 9 records 1 cannot be used, 2 are replaced by a later one with the same id. Analysis: english.'
    """
    sample = dry_run["sample"]
    records, bad, twice = count(sample["records"], "record"), sample["records"] - sample["usable"], sample["duplicates"]
    faults = [f"{bad:,} cannot be used"] if bad else []
    if twice:
        faults.append(f"{twice:,} {'are' if twice > 1 else 'is'} replaced by a later one with the same id")
    read = f"Of the first {records} {', '.join(faults)}." if faults else f"The first {records} can be read."
    return f"{read} Analysis: {dry_run['analysis']}."


def documents(dry_run: DryRun) -> str:
    """Return the first documents as they would go in: the columns say what became of the source's own."""
    rows = [
        [
            document["doc_id"],
            document["title"],
            short(document["text"]),
            short(json.dumps(document["metadata"], ensure_ascii=False, default=str)) if document["metadata"] else "",
        ]
        for document in dry_run["sample"]["documents"]
    ]
    return drawn("First documents", ["id", "title", "text", "metadata"], rows)


def bad_records(letters: Iterable[Mapping[str, object]]) -> str:
    """Return records that cannot be used, with their reasons; from a dry run or a file of dead letters."""
    rows = [
        [
            str(letter.get("line") or ""),
            str(letter.get("reason", "")),
            short(str(letter.get("record") or "")) or str(letter.get("source") or "").rpartition("/")[2],
        ]
        for letter in letters
    ]
    return drawn("Bad records", ["line", "reason", "record"], rows)


def analysed(dry_run: DryRun) -> str:
    """Return the first document's terms, as searches find it."""
    found: Mapping[str, Sequence[str]] = dry_run["terms"]
    words = [word for text in found.values() for word in text]
    more = [f"and {len(words) - _SHOWN_TERMS:,} more"] if len(words) > _SHOWN_TERMS else []
    return terms([*words[:_SHOWN_TERMS], *more])


def passages(dry_run: DryRun) -> str:
    """Return how the first document is cut; nothing where documents stay whole."""
    cut: Sequence[str] = dry_run["passages"] or []
    rows = [[str(number), short(text)] for number, text in enumerate(cut[:_SHOWN_PASSAGES], start=1)]
    return drawn(f"The first of {len(cut):,} passages", ["passage", "text"], rows) if rows else ""


def mapping(dry_run: DryRun) -> str:
    """Return settings and mapping of a new index as JSON; empty where there is no engine."""
    body = {key: dry_run[key] for key in ("settings", "mappings") if key in dry_run}
    return json.dumps(body, indent=2, ensure_ascii=False) if body else ""


def short(text: str) -> str:
    """Return the beginning of a text.

    Example:
        >>> len(short("a" * 1_000_000))
        241
    """
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
