"""How far an index's last ingest has come: a small SQLite file until it has ended, so that a killed run can go on.

The backend commits first, then the checkpoint. A kill in between makes the next run read a batch again, and adding a
document twice under one id is adding it once. So the checkpoint may be behind, and nobody waits for the disk: a kill of
the process loses nothing of it, a power failure the last batches at most.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from prorank_search.errors import ConfigError
from prorank_search.types import Document

_TABLES = """
CREATE TABLE IF NOT EXISTS state (fingerprint TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (id_hash INTEGER PRIMARY KEY, text_hash INTEGER NOT NULL, kept INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meant (id_hash INTEGER PRIMARY KEY);
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
        documents: Documents with an id of their own that went in.
        kept: Documents with an id of their own that did not, since the index had one under that id before.
        duplicates: Documents whose id had come before; the last one of each id counts.
        bad_records: Records that became dead letters.
    """

    version: str
    analysis: str
    dead_letters: str
    dead_letters_bytes: int = 0
    position: int = 0
    documents: int = 0
    kept: int = 0
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
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(f"BEGIN; {_TABLES} COMMIT;")

    def load(self) -> State | None:
        """Return what a killed run left behind; None where there is nothing, or something of another source."""
        with self._usable():
            row = self._connection.execute("SELECT fingerprint, state FROM state").fetchone()
        return State(**json.loads(row[1])) if row and row[0] == self._fingerprint else None

    def start(self, state: State) -> State:
        """Forget everything and begin anew."""
        with self._usable(), self._connection:
            self._connection.execute("DELETE FROM seen")
            self._connection.execute("DELETE FROM meant")
            self._write(state)
        return state

    def save(self, state: State, written: Sequence[Document], kept: Sequence[Document] = ()) -> State:
        """Note in one step how far the run is and what came; return the state with it counted.

        Args:
            state: How far the run is.
            written: Documents that went into the index.
            kept: Documents that did not, since the index had one under that id before.
        """
        with self._usable(), self._connection:
            new, new_kept = self._see(written, kept=False), self._see(kept, kept=True)
            counted = replace(
                state,
                documents=state.documents + new,
                kept=state.kept + new_kept,
                duplicates=state.duplicates + len(written) + len(kept) - new - new_kept,
            )
            self._write(counted)
        return counted

    def mean(self, doc_ids: Iterable[str]) -> None:
        """Note on the disk which documents are about to be written: the index alone has another trace of them."""
        with self._usable(), self._connection:
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("DELETE FROM meant")
            self._connection.executemany("INSERT INTO meant VALUES (?)", [(_hash(doc_id),) for doc_id in doc_ids])

    def ours(self, doc_ids: Iterable[str]) -> set[str]:
        """Return those of some ids under which this run wrote, or may have written, a document."""
        find = "SELECT 1 FROM seen WHERE id_hash = ?1 AND NOT kept UNION ALL SELECT 1 FROM meant WHERE id_hash = ?1"
        return {each for each in doc_ids if self._finds(find, each)}

    def equal_texts(self) -> int:
        """Count the documents whose title and text are those of another one that came before."""
        with self._usable():
            [count] = self._connection.execute("SELECT COUNT(*) - COUNT(DISTINCT text_hash) FROM seen").fetchone()
        return int(count)

    def unseen(self, doc_ids: Iterable[str]) -> list[str]:
        """Return those of some ids that did not come in this run."""
        return [each for each in doc_ids if not self._finds("SELECT 1 FROM seen WHERE id_hash = ?", each)]

    def finish(self) -> None:
        """Delete the file: the run has ended."""
        self._connection.execute("PRAGMA synchronous = OFF")
        self.close()
        for end in ("-wal", "-shm", ""):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _see(self, documents: Sequence[Document], *, kept: bool) -> int:
        """Note documents; return how many have an id that had not come. The text of the last one of an id counts."""
        rows = [(_hash(document.doc_id), _hash(f"{document.title}\0{document.text}"), kept) for document in documents]
        before = self._connection.total_changes
        self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", rows)
        new = self._connection.total_changes - before
        if new < len(rows):
            self._connection.executemany("UPDATE seen SET text_hash = ?2 WHERE id_hash = ?1", [row[:2] for row in rows])
        return new

    def _finds(self, query: str, doc_id: str) -> bool:
        with self._usable():
            return self._connection.execute(query, (_hash(doc_id),)).fetchone() is not None

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the ingest cannot note how far it is in {self._path} ({error}): is the disk full or read-only, "
                "the file damaged? Make room, delete the file or set PRORANK_HOME to another folder, then run the same "
                "command again"
            ) from error

    def _write(self, state: State) -> None:
        self._connection.execute("DELETE FROM state")
        self._connection.execute("INSERT INTO state VALUES (?, ?)", (self._fingerprint, json.dumps(asdict(state))))


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
