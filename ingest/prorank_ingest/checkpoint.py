"""How far an index's last ingest has come: a small SQLite file until it has ended, so that a killed run can go on.

The backend commits first, then the checkpoint. A kill in between makes the next run read a batch again, and adding a
document twice under one id is adding it once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from prorank_search.errors import ConfigError

_TABLES = """
CREATE TABLE IF NOT EXISTS state (fingerprint TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (id_hash INTEGER PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class State:
    """What is durable of a run.

    Attributes:
        version: The index version that is written into.
        analysis: Its analysis preset.
        dead_letters: Path of the dead-letter file, which need not exist.
        dead_letters_bytes: Its length; what stands behind it is of no account.
        position: Records read, bad ones among them.
        documents: Documents with an id of their own.
        duplicates: Documents whose id had come before; the last one of each id counts.
        bad_records: Records that became dead letters.
    """

    version: str
    analysis: str
    dead_letters: str
    dead_letters_bytes: int = 0
    position: int = 0
    documents: int = 0
    duplicates: int = 0
    bad_records: int = 0


class Checkpoint:
    """The checkpoint of an index's last ingest; use it with `contextlib.closing`.

    `fingerprint` stands for all that must be the same for a run to go on: source, options, limit.

    Raises:
        ConfigError: The file cannot be used, such as on a full disk.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open the file, making it where there is none."""
        self._path = path
        self._fingerprint = fingerprint
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path)
            self._connection.executescript(_TABLES)

    def load(self) -> State | None:
        """Return what a killed run left behind; None where there is nothing, or something of another source."""
        with self._usable():
            row = self._connection.execute("SELECT fingerprint, state FROM state").fetchone()
        return State(**json.loads(row[1])) if row and row[0] == self._fingerprint else None

    def start(self, state: State) -> State:
        """Forget everything and begin anew."""
        with self._usable(), self._connection:
            self._connection.execute("DELETE FROM seen")
            self._write(state)
        return state

    def save(self, state: State, doc_ids: Iterable[str]) -> State:
        """Note in one step how far the run is and which ids came; return the state with these counted."""
        hashes = [(_hash(doc_id),) for doc_id in doc_ids]
        with self._usable(), self._connection:
            before = self._connection.total_changes
            self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", hashes)
            new = self._connection.total_changes - before
            counted = replace(state, documents=state.documents + new, duplicates=state.duplicates + len(hashes) - new)
            self._write(counted)
        return counted

    def unseen(self, doc_ids: Iterable[str]) -> list[str]:
        """Return those of some ids that did not come in this run."""
        with self._usable():
            find = "SELECT 1 FROM seen WHERE id_hash = ?"
            return [each for each in doc_ids if not self._connection.execute(find, (_hash(each),)).fetchone()]

    def finish(self) -> None:
        """Delete the file: the run has ended."""
        self.close()
        self._path.unlink()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the ingest cannot note how far it is in {self._path} ({error}): is the disk full, the file damaged? "
                "Make room or delete the file, then run the same command again"
            ) from error

    def _write(self, state: State) -> None:
        self._connection.execute("DELETE FROM state")
        self._connection.execute("INSERT INTO state VALUES (?, ?)", (self._fingerprint, json.dumps(asdict(state))))


def _hash(doc_id: str) -> int:
    digest = hashlib.blake2b(doc_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
