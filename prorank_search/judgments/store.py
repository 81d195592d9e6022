"""The judgment store: query sets, their pools, who judged what how, saved comparisons, in one SQLite file.

Nothing is ever overwritten: each click is a row of its own, and the last row of a judge on a document is what counts.
So an undo is a row as well, and a store that two people write into at once loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from prorank_search.errors import InputError
from prorank_search.judgments.pooling import Pooled
from prorank_search.storage.sqlite_file import Run, SqliteFile
from prorank_search.stored_documents import from_source, to_source
from prorank_search.types import Qrel, Query

FILE_NAME = "judgments.sqlite"
GRADES = ("not relevant", "marginal", "relevant", "perfect")
"""What the grades 0 to 3 are called."""

Origin = Literal["person", "model"]
_ID_LENGTH = 12

_MIGRATIONS = (
    """
    CREATE TABLE query_sets (name TEXT PRIMARY KEY, index_name TEXT NOT NULL, created TEXT NOT NULL);
    CREATE TABLE queries (
        query_set TEXT NOT NULL REFERENCES query_sets(name), query_id TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (query_set, query_id)
    );
    CREATE TABLE judgments (
        row INTEGER PRIMARY KEY, query_set TEXT NOT NULL, query_id TEXT NOT NULL, doc_id TEXT NOT NULL,
        judge TEXT NOT NULL, origin TEXT NOT NULL, relevance INTEGER, comment TEXT NOT NULL, at TEXT NOT NULL,
        withdraws INTEGER, FOREIGN KEY (query_set, query_id) REFERENCES queries(query_set, query_id)
    );
    CREATE INDEX judgments_by_document ON judgments (query_set, query_id, doc_id, judge);
    CREATE TABLE comparisons (id TEXT PRIMARY KEY, state TEXT NOT NULL, created TEXT NOT NULL);
    """,
    """
    CREATE TABLE pools (
        query_set TEXT NOT NULL, query_id TEXT NOT NULL, doc_id TEXT NOT NULL,
        document TEXT NOT NULL, ranks TEXT NOT NULL, highlights TEXT NOT NULL,
        PRIMARY KEY (query_set, query_id, doc_id),
        FOREIGN KEY (query_set, query_id) REFERENCES queries(query_set, query_id)
    );
    """,
)
_CURRENT = """
    SELECT query_set, query_id, doc_id, judge, relevance, comment, origin, at FROM judgments
    WHERE row IN (
        SELECT max(row) FROM judgments
        WHERE query_set = ? AND withdraws IS NULL
        AND row NOT IN (SELECT withdraws FROM judgments WHERE withdraws IS NOT NULL)
        GROUP BY query_id, doc_id, judge, origin
    )
    ORDER BY row
"""

_POOL_SIZE = "SELECT count(*) FROM pools WHERE query_set = ? AND query_id = ?"


@dataclass(frozen=True, slots=True)
class Judgment:
    """How relevant a judge finds a document for a query.

    Attributes:
        query_set: Name of the query set.
        query_id: The query in it.
        doc_id: The document.
        judge: Name of the person, or of the model.
        relevance: A grade from 0; None: the judge skipped it.
        comment: What the judge says of it.
        origin: A model's judgments are proposals, and never counted as a person's.
        at: When, ISO 8601 in UTC; empty: now.
    """

    query_set: str
    query_id: str
    doc_id: str
    judge: str
    relevance: int | None
    comment: str = ""
    origin: Origin = "person"
    at: str = ""


@dataclass(frozen=True, slots=True)
class QuerySet:
    """A query set, as a list shows it.

    Attributes:
        name: Its name.
        index: The index whose documents are judged.
        created: When, ISO 8601 in UTC.
        queries: How many queries it has.
    """

    name: str
    index: str
    created: str
    queries: int


class JudgmentStore:
    """Judgments in an SQLite file. Safe from many threads, and for several processes at once.

    Args:
        path: The file, made where it does not exist.

    Raises:
        ConfigError: The file cannot be used, or a newer version of this package wrote it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     store = JudgmentStore(Path(folder) / FILE_NAME)
        ...     _ = store.add_queries("animals", "zoo", [Query("1", "quick fox")])
        ...     store.judge(Judgment("animals", "1", "doc7", "ada", 3))
        ...     store.qrels("animals")
        [Qrel(query_id='1', doc_id='doc7', relevance=3)]
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _MIGRATIONS, "the judgment store")

    def add_queries(self, query_set: str, index: str, queries: Iterable[Query]) -> int:
        """Add queries to a set, which is made where there is none; return how many were new.

        Args:
            query_set: Name of the set.
            index: The index whose documents are judged.
            queries: Queries; one that is there already stays as it is.

        Raises:
            InputError: The set belongs to another index, or a query's id stands for another text there.
        """
        with self._file.change() as run:
            return _add_queries(run, query_set, index, queries)

    def query_sets(self) -> list[QuerySet]:
        """List the query sets by name."""
        rows = self._file.read(
            "SELECT name, index_name, created, (SELECT count(*) FROM queries WHERE query_set = name) FROM query_sets "
            "ORDER BY name"
        )
        return [QuerySet(*row) for row in rows]

    def query_set(self, name: str) -> QuerySet:
        """Return one query set.

        Raises:
            InputError: There is no such set.
        """
        sets = self.query_sets()
        found = next((one for one in sets if one.name == name), None)
        if found is None:
            there = ", ".join(one.name for one in sets) or "none"
            raise InputError(f"there is no query set {name!r}; there are: {there}")
        return found

    def queries(self, query_set: str) -> dict[str, Query]:
        """Return the queries of a set by `query_id`, in the order in which they came.

        Raises:
            InputError: There is no such set.
        """
        rows = self._file.read("SELECT query_id, text FROM queries WHERE query_set = ? ORDER BY rowid", (query_set,))
        if not rows:
            self.query_set(query_set)
        return {query_id: Query(query_id, text) for query_id, text in rows}

    def judge(self, *judgments: Judgment) -> None:
        """Write judgments down, all or none of them; each counts instead of what its judge said of that document.

        Raises:
            InputError: A grade is below 0, or a query is not in its set.
        """
        with self._file.change() as run:
            _judge(run, judgments)

    def take_in(self, query_set: str, index: str, queries: Iterable[Query], judgments: Sequence[Judgment]) -> int:
        """Add queries to a set and write judgments of it down, all of both or nothing; return how many queries are new.

        Raises:
            InputError: As `add_queries` and `judge` say.
        """
        with self._file.change() as run:
            added = _add_queries(run, query_set, index, queries)
            _judge(run, judgments)
            return added

    def pool(self, query_set: str, query_id: str, hits: Iterable[Pooled]) -> int:
        """Put hits into a query's pool; return how many were not in it.

        One that is there already has its document renewed, and keeps its ranks in other systems.

        Raises:
            InputError: The query is not in the set.
        """
        rows = [
            (
                query_set,
                query_id,
                hit.document.doc_id,
                json.dumps(to_source(hit.document)),
                json.dumps(dict(hit.ranks)),
                json.dumps(hit.highlights),
            )
            for hit in hits
        ]
        with self._file.change() as run:
            _require(run, query_set, query_id)
            (before,) = run(_POOL_SIZE, (query_set, query_id)).fetchone()
            for row in rows:
                run(
                    "INSERT INTO pools VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "document = excluded.document, ranks = json_patch(ranks, excluded.ranks), "
                    "highlights = excluded.highlights",
                    row,
                )
            (after,) = run(_POOL_SIZE, (query_set, query_id)).fetchone()
            return int(after - before)

    def pools(self, query_set: str) -> dict[str, list[str]]:
        """Return the ids of the documents in each query's pool, by `query_id`; a query without a pool is not there."""
        pools: dict[str, list[str]] = defaultdict(list)
        rows = self._file.read("SELECT query_id, doc_id FROM pools WHERE query_set = ?", (query_set,))
        for query_id, doc_id in rows:
            pools[query_id].append(doc_id)
        return dict(pools)

    def pooled(self, query_set: str, query_id: str) -> dict[str, Pooled]:
        """Return a query's pool by `doc_id`; empty where nothing was put into it."""
        rows = self._file.read(
            "SELECT doc_id, document, ranks, highlights FROM pools WHERE query_set = ? AND query_id = ?",
            (query_set, query_id),
        )
        return {
            doc_id: Pooled(from_source(json.loads(document)), json.loads(ranks), tuple(json.loads(highlights)))
            for doc_id, document, ranks, highlights in rows
        }

    def undo(self, query_set: str, judge: str) -> Judgment | None:
        """Take back the last thing that a person said in a set, and return it; None where nothing is left."""
        with self._file.change() as run:
            found = run(
                "SELECT row, query_id, doc_id, relevance, comment, origin, at FROM judgments WHERE query_set = ? "
                "AND judge = ? AND origin = 'person' AND withdraws IS NULL "
                "AND row NOT IN (SELECT withdraws FROM judgments WHERE withdraws IS NOT NULL) "
                "ORDER BY row DESC LIMIT 1",
                (query_set, judge),
            ).fetchone()
            if found is None:
                return None
            row, query_id, doc_id, relevance, comment, origin, at = found
            run(
                "INSERT INTO judgments (query_set, query_id, doc_id, judge, origin, comment, at, withdraws) "
                "VALUES (?, ?, ?, ?, ?, '', ?, ?)",
                (query_set, query_id, doc_id, judge, origin, _now(), row),
            )
        return Judgment(query_set, query_id, doc_id, judge, relevance, comment, origin, at)

    def judgments(self, query_set: str) -> list[Judgment]:
        """Return what counts of a set, skips and models' proposals among it, in the order in which it was said."""
        return [Judgment(*row) for row in self._file.read(_CURRENT, (query_set,))]

    def qrels(self, query_set: str, origin: Origin = "person") -> list[Qrel]:
        """Return one judgment a document: the median of its judges, the lower one of two in the middle.

        Args:
            query_set: Name of the set.
            origin: Whose judgments: persons' or models'.
        """
        said: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in self.judgments(query_set):
            if one.relevance is not None and one.origin == origin:
                said[one.query_id, one.doc_id].append(one.relevance)
        return [Qrel(query, document, statistics.median_low(grades)) for (query, document), grades in said.items()]

    def save_comparison(self, state: Mapping[str, object]) -> str:
        """Keep what a comparison shows; return its short id, the same one for the same state."""
        written = json.dumps(state, sort_keys=True, ensure_ascii=False)
        name = query_id_of(written)
        with self._file.change() as run:
            run("INSERT OR IGNORE INTO comparisons VALUES (?, ?, ?)", (name, written, _now()))
        return name

    def comparison(self, name: str) -> dict[str, object]:
        """Return what a saved comparison shows.

        Raises:
            InputError: There is none of that id.
        """
        rows = self._file.read("SELECT state FROM comparisons WHERE id = ?", (name,))
        if not rows:
            raise InputError(f"there is no saved comparison {name!r}")
        return dict(json.loads(rows[0][0]))

    def backup(self, path: Path) -> None:
        """Write a copy of the whole store, whatever is judged meanwhile.

        Raises:
            ConfigError: There is such a file already, or it cannot be written.
        """
        self._file.backup(path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def query_id_of(text: str) -> str:
    """Return an id for a query that was typed: the same one for the same text.

    Example:
        >>> query_id_of("quick fox")
        'fb565eb6a7d5'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def _add_queries(run: Run, query_set: str, index: str, queries: Iterable[Query]) -> int:
    run("INSERT OR IGNORE INTO query_sets VALUES (?, ?, ?)", (query_set, index, _now()))
    (known,) = run("SELECT index_name FROM query_sets WHERE name = ?", (query_set,)).fetchone()
    if known != index:
        raise InputError(f"the query set {query_set!r} belongs to the index {known!r}, not to {index!r}")
    return sum(_add_query(run, query_set, query) for query in queries)


def _judge(run: Run, judgments: Iterable[Judgment]) -> None:
    now = _now()
    for one in judgments:
        if one.relevance is not None and one.relevance < 0:
            raise InputError(f"relevance {one.relevance} of document {one.doc_id!r}: a grade from 0 is wanted")
        _require(run, one.query_set, one.query_id)
        run(
            "INSERT INTO judgments (query_set, query_id, doc_id, judge, origin, relevance, comment, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (one.query_set, one.query_id, one.doc_id, one.judge, one.origin, one.relevance, one.comment, one.at or now),
        )


def _require(run: Run, query_set: str, query_id: str) -> None:
    found = run("SELECT 1 FROM queries WHERE query_set = ? AND query_id = ?", (query_set, query_id)).fetchone()
    if found is None:
        raise InputError(f"the query {query_id!r} is not in the query set {query_set!r}: add it first")


def _add_query(run: Run, query_set: str, query: Query) -> bool:
    added = run("INSERT OR IGNORE INTO queries VALUES (?, ?, ?)", (query_set, query.query_id, query.text)).rowcount
    known = run("SELECT text FROM queries WHERE query_set = ? AND query_id = ?", (query_set, query.query_id)).fetchone()
    if known[0] != query.text:
        raise InputError(f"the query {query.query_id!r} of the set {query_set!r} is {known[0]!r}, not {query.text!r}")
    return added > 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
