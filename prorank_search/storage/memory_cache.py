"""A bounded table in memory: what was computed lately is looked up by its key, and what is not asked for makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock

from prorank_search.storage.disk_cache import DiskCache, Row

_BYTES_AN_ENTRY = 400
"""What a key, its place in the table and a few numbers take, as measured."""

_BYTES_A_MB = 1_000_000


class MemoryCache:
    """A table of entries by key. Safe from many threads.

    Args:
        limit_mb: Bound in 1,000,000 bytes; past it the entries that nobody asked for longest are dropped.
        behind: A table on disk that is asked for what is not here, and keeps what is written here; None: there is none.

    Example:
        >>> cache = MemoryCache(0.0008)
        >>> for number in range(3):
        ...     cache.write({str(number).encode(): (number,)})
        >>> cache.read([b"0", b"1", b"2"])
        {b'1': (1,), b'2': (2,)}
    """

    def __init__(self, limit_mb: float, behind: DiskCache | None = None) -> None:
        self._most = int(limit_mb * _BYTES_A_MB / _BYTES_AN_ENTRY)
        self._behind = behind
        self._entries: OrderedDict[bytes, Row] = OrderedDict()
        self._lock = Lock()

    def read(self, keys: Iterable[bytes]) -> dict[bytes, Row]:
        """Return the entries that are there.

        Raises:
            ConfigError: The table on disk can no longer be used.
        """
        wanted = list(keys)
        with self._lock:
            found = {key: self._entries[key] for key in wanted if key in self._entries}
            for key in found:
                self._entries.move_to_end(key)
        if self._behind is not None and len(found) < len(wanted):
            from_disk = self._behind.read(key for key in wanted if key not in found)
            self._keep(from_disk)
            found |= from_disk
        return found

    def write(self, entries: Mapping[bytes, Row]) -> None:
        """Add entries.

        Raises:
            ConfigError: The table on disk can no longer be used.
        """
        self._keep(entries)
        if self._behind is not None:
            self._behind.write(entries)

    def close(self) -> None:
        """Close the table on disk."""
        if self._behind is not None:
            self._behind.close()

    def __len__(self) -> int:
        return len(self._entries)

    def _keep(self, entries: Mapping[bytes, Row]) -> None:
        with self._lock:
            self._entries.update(entries)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
