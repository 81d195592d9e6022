"""Files that a kill leaves whole: small ones that are replaced at once, and ones to which whole lines are added.

A reader, or who comes after a kill, sees the old content or the new one, never a part of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from prorank_search.storage.file_lock import hold


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a new content in the place of a file's old one, or leave that as it is.

    Where two may write at the same time, each does it inside `alone_with`.

    Raises:
        OSError: It cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_whole(Path(folder) / "a.txt", "fox")
        ...     [path.name for path in Path(folder).iterdir()]
        ['a.txt']
    """
    draft = path.with_name(f"{path.name}.partial")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def whole_lines(path: Path) -> list[str]:
    r"""Return the lines that were written to their end; none where there is no file.

    A last line that is still being written, or that a kill broke off, is left out. Lines end with `\n` alone: in JSON
    there may be other signs that `str.splitlines` takes for an end.

    Raises:
        OSError: It cannot be read.

    Example:
        >>> whole_lines(Path("nowhere.jsonl"))
        []
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1].decode().split("\n")[:-1]


def drop_broken_line(path: Path) -> None:
    """Cut off what stands behind the last whole line, so that lines can be added; nothing where there is no file.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Wait until nobody else changes a file, and keep others from it; its folder is made where there is none.

    Raises:
        OSError: Nothing can be written beside it.
    """
    with hold(path.with_name(f".{path.name}.lock")):
        yield
