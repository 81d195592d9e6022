"""An ingest as a form describes it: what `prorank ingest` is given, a dry run, and the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prorank_search import jobs
from prorank_search.errors import InputError
from prorank_ui import commands

KIND = "ingest"
_LONGEST = 200
DRY_RUN_TAKES_AT_MOST_S = 120


@dataclass(frozen=True, slots=True)
class IngestWish:
    """What a person wants to go into an index.

    Attributes:
        upload_id: The upload.
        source: Where it lies.
        index: Name of the index.
        replace: Fill a new version and swap it in; otherwise documents are added, and replaced by id.
        analysis: An analysis preset, or `auto`.
        passages: Cut documents into passages.
        id_column: Column or key of the id; empty: the usual names.
        title_column: Of the title.
        text_column: Of the text.
    """

    upload_id: str
    source: Path
    index: str
    replace: bool = False
    analysis: str = "auto"
    passages: bool = False
    id_column: str = ""
    title_column: str = ""
    text_column: str = ""


def arguments(wish: IngestWish, config: Path | None = None) -> tuple[str, ...]:
    """Return what `prorank` is given; what a form holds never becomes an option of its own.

    Args:
        wish: What goes where.
        config: The settings file that is in force.

    Raises:
        InputError: A name is missing, too long, or holds what no name holds.

    Example:
        >>> arguments(IngestWish("", Path("/u/a.csv"), "shop", replace=True, text_column="--json"))
        ('ingest', '/u/a.csv', '--index=shop', '--analysis=auto', '--replace', '--text-column=--json')
    """
    if not wish.index:
        raise InputError("name the index that the documents go into")
    columns = {"id": wish.id_column, "title": wish.title_column, "text": wish.text_column}
    for what, name in {"index": wish.index, **columns}.items():
        if len(name) > _LONGEST or not name.isprintable():
            raise InputError(f"{name[:40]!r} cannot be the name of the {what}: too long, or with control characters")
    return (
        "ingest",
        str(wish.source),
        f"--index={wish.index}",
        f"--analysis={wish.analysis}",
        *(["--replace"] if wish.replace else []),
        *(["--passages"] if wish.passages else []),
        *(f"--{what}-column={name}" for what, name in columns.items() if name),
        *([f"--config={config}"] if config else []),
    )


def dry_run(wish: IngestWish, config: Path | None = None) -> Mapping[str, Any]:
    """Return what `prorank ingest --dry-run` shows; writes nothing. Blocks for some seconds.

    Raises:
        InputError: The source cannot be read; the message is the command's.
        TimeUpError: It took longer than `DRY_RUN_TAKES_AT_MOST_S`.
    """
    shown = commands.answer_of(*arguments(wish, config), "--dry-run", "--json", timeout_s=DRY_RUN_TAKES_AT_MOST_S)
    if not isinstance(shown, dict):
        raise InputError(f"the dry run of {wish.source.name!r} said nothing that can be read")
    return shown


def start(jobs_folder: Path, wish: IngestWish, config: Path | None = None) -> jobs.Job:
    """Start the ingest as a job.

    Raises:
        InputError: See `arguments`.
        ConfigError: The jobs' folder cannot be written to.
    """
    command = jobs.prorank(*arguments(wish, config), "--json", "--progress-json")
    what = wish.source.name if wish.source.is_file() else "texts"
    about = {"index": wish.index, "upload": wish.upload_id}
    return jobs.start(jobs_folder, KIND, f"{what} into {wish.index}", command, about)
