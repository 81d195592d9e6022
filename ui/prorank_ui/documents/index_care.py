"""What can be done with an index: back to its version before, other versions pruned, deleted."""

from __future__ import annotations

from prorank_search.errors import InputError
from prorank_search.protocols import IndexBackend, IndexInfo
from prorank_ui.drawing.wording import minute, size


def delete(backend: IndexBackend, index: str, typed: str) -> None:
    """Delete an index with all its versions.

    Args:
        backend: Where it is.
        index: Its name.
        typed: The name as a person typed it.

    Raises:
        InputError: Another name was typed; nothing was deleted. Or there is no such index.
        BackendError: The backend failed.
    """
    if typed != index:
        raise InputError(f"to delete {index!r}, type its name: nothing was deleted")
    backend.delete(index)


HEADINGS = ("index", "documents", "passages", "analysis", "size", "made (UTC)", "version")
NUMBERS = ("documents", "passages", "size")


def row(index: IndexInfo) -> list[str]:
    """Return an index as a line of a table.

    Example:
        >>> row(IndexInfo("shop", 1200, "english", 3_400_000, "2026-11-24T18:31:00+00:00", "v2-ab"))
        ['shop', '1,200', '', 'english', '3.4 MB', '2026-11-24 18:31', 'v2-ab']
    """
    passages = "" if index.passages is None else f"{index.passages:,}"
    return [
        index.name,
        f"{index.documents:,}",
        passages,
        index.analysis,
        size(index.size_bytes),
        minute(index.created),
        index.version,
    ]
