"""Which reader reads a source."""

from __future__ import annotations

from pathlib import Path

from prorank_search import plugins
from prorank_search.errors import ConfigError, InputError
from prorank_search.protocols import Reader, ReaderOptions


def open_source(source: str, options: ReaderOptions, reader: str | None = None) -> Reader:
    """Return the reader of a source.

    Args:
        source: A path, `-`, the import name of a Python package, or what else a reader knows.
        options: What the reader is told.
        reader: Name of the reader; None: the one whose format the source has.

    Raises:
        InputError: The source has no name, no reader reads this source, or the one that was named does not.
        ConfigError: Several readers do.
        UnknownPluginError: Nobody installed a reader of that name.
    """
    if not source.strip():
        raise InputError("the source has no name: give a file, a folder or a package; . for the folder you are in")
    names = list(plugins.installed("readers")) if reader is None else [reader]
    opened = {name: plugins.load("readers", name)(source, options) for name in names}
    willing: dict[str, Reader] = {name: found for name, found in opened.items() if found is not None}
    if not willing:
        problem = "is in no format" if Path(source).exists() else "is no file or folder here, and no name"
        raise InputError(
            f"{source!r} {problem} that can be read by: {', '.join(names)}. Give a BEIR folder, a folder of texts or "
            "code, a .jsonl, .csv or .tsv file (.gz or .zst too), a .parquet, .html or .pdf file, a database's URL, an "
            "index (http://HOST:9200/NAME or tantivy:NAME), a Python package's name, or - (stdin, JSON Lines)"
        )
    if len(willing) > 1:
        raise ConfigError(
            f"{source!r} can be read by {' and by '.join(willing)}: choose with --reader, or write ./{source} "
            "for the path"
        )
    return next(iter(willing.values()))
