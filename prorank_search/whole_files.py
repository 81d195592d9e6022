"""Small files that are replaced as a whole: a reader, or who comes after a kill, sees the old one or the new one."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a new content in the place of a file's old one, or leave that as it is.

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


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Wait until nobody else changes a file, and keep others from it; its folder is made where there is none.

    Raises:
        OSError: Nothing can be written beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
