"""What a plugin has to be: a search backend, an index backend, a rescorer, a reader.

Entry points name factories, not classes: `open_backend(settings)`, `open_rescorer(settings)` and
`open_reader(source, options)`. See CONTRIBUTING.md for one of each in one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self, runtime_checkable

from prorank_search.types import Document, Ranking, RescorerInfo, Scored, ScoreRequest, SearchRequest

if TYPE_CHECKING:
    from prorank_search.settings import Settings


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """One index, as `prorank index list` shows it.

    Attributes:
        documents: Documents; in an index of passages those that they are parts of.
        metadata: What was kept of the index when it was made; `passages` in it: its documents are cut into passages.
        passages: Passages; None in an index of whole documents.
    """

    name: str
    documents: int
    analysis: str
    size_bytes: int
    created: str
    version: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    passages: int | None = None


@runtime_checkable
class SearchBackend(Protocol):
    """The first stage: answers a query with a ranking. Sends nothing but reads."""

    def search(self, request: SearchRequest) -> Ranking:
        """Return the best `request.top_k` documents.

        Of an index of passages, each hit is what `prorank_search.passages.parent_hit` makes of a document's best
        `request.passages_per_hit` passages, and its score is the best one's.

        Raises:
            InputError: The index does not exist or the request cannot be answered.
            BackendError: The engine failed.
        """
        ...

    def search_many(self, requests: Sequence[SearchRequest]) -> list[Ranking]:
        """Return one ranking for each request, in the same order."""
        ...

    def highlights(self, request: SearchRequest, documents: Sequence[Document]) -> list[tuple[str, ...]]:
        """Return for each document its distinct words that match the request's query, as they stand in title and text.

        Apart from `search`, because it takes longer than finding and only a few hits are shown in the end.
        """
        ...

    def indexes(self) -> list[IndexInfo]:
        """List the indexes that can be searched, by name."""
        ...

    def published(self, index: str) -> IndexInfo | None:
        """Return what `indexes` says of one index; None: there is none that can be searched. Asks about no other."""
        ...


class Commit(Protocol):
    """A commit that was begun; a `concurrent.futures.Future[None]` is one."""

    def done(self) -> bool:
        """Tell whether `result` would return at once."""
        ...

    def result(self) -> None:
        """Wait until all that was added before the commit was begun is durable; asked again it says the same.

        Raises:
            DocumentsRefusedError: Some of it cannot be in this index; the rest is.
            BackendError: The engine failed.
        """
        ...


@runtime_checkable
class IndexWriter(Protocol):
    """Writes into one version of an index. A context manager: leaving it releases the index's lock."""

    @property
    def version(self) -> str:
        """Name of the version that is written into: what a killed run hands to `writer(resume=...)`. Never reused."""
        ...

    def add(self, documents: Iterable[Document]) -> int:
        """Add or replace documents by `doc_id`; return how many. Not durable before `commit`.

        Raises:
            DocumentsRefusedError: Some of them cannot be in this index, now or later; all the others were added. An
                ingest puts them into its dead-letter file. What is known only when the engine answers, `commit` tells.
            BackendError: The engine failed.
        """
        ...

    def delete(self, doc_ids: Iterable[str]) -> int:
        """Delete documents by id, with all their passages; return how many ids were given."""
        ...

    def begin_commit(self) -> Commit:
        """Begin to make durable what was added since the last commit was begun; return what tells when it is.

        More can be added meanwhile, which belongs to the next commit. A writer to which waiting gains nothing commits
        here and returns what is done.

        Raises:
            BackendError: The engine failed.
        """
        ...

    def commit(self) -> None:
        """Make all that was added durable, so that a kill from here on loses nothing of it.

        Raises:
            DocumentsRefusedError: Some of what was added since the last commit cannot be in this index; the others are.
            BackendError: The engine failed.
        """
        ...

    def publish(self, expected: int | None = None) -> None:
        """Commit, and let searches see this version from now on: one atomic step.

        Args:
            expected: Documents that a version must hold which was not published before; None: any number.

        Raises:
            BackendError: It holds another number of documents: searches see what they saw.
        """
        ...

    def __enter__(self) -> Self:
        """Return the writer."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Release the index's lock. What was not committed is dropped."""
        ...


@runtime_checkable
class IndexBackend(SearchBackend, Protocol):
    """A backend that can also be filled.

    An index has versions; searches see the published one. An upsert writes into the published version, a
    replacement into a new one beside it.
    """

    def writer(
        self,
        index: str,
        *,
        analysis: str,
        replace: bool,
        resume: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> IndexWriter:
        """Open `index` for writing, creating it where it does not exist.

        Args:
            index: Name of the index.
            analysis: Name of the analysis preset, for a new version; an existing version keeps its own.
            replace: Write into a new, still invisible version instead of the published one.
            resume: Name of the unpublished version that a killed run left behind, to go on with it.
            metadata: JSON that a new version keeps, for `IndexInfo.metadata`. With `passages` in it the version is an
                index of passages: the first passage of a document that is added takes the place of all its old ones.
                `k1` and `b` in it are those of its BM25, for `types.BM25`'s.

        Raises:
            BackendError: Another process is writing into the index.
            InputError: The name cannot be an index name, `analysis` differs from the existing version's, or the backend
                knows no other `k1` and `b`.
        """
        ...

    def versions(self, index: str) -> list[str]:
        """List the versions of an index, oldest first."""
        ...

    def rollback(self, index: str) -> str:
        """Publish the version before the present one; return its name.

        Raises:
            InputError: The index does not exist, or no version was published before.
            BackendError: That version cannot be read any longer; the present one stays.
        """
        ...

    def prune(self, index: str) -> list[str]:
        """Delete every version but the published one; return their names.

        Raises:
            InputError: The index does not exist.
        """
        ...

    def adopt(self, index: str) -> list[str]:
        """Allow `writer` to write into an index that somebody else made; return what that changed, in plain words.

        Nothing changes where the index is ours, or does not exist.

        Raises:
            InputError: That index cannot be written to by us.
        """
        ...

    def preview(self, analysis: str, document: Document, metadata: Mapping[str, object]) -> dict[str, object]:
        """Return what a new index would be made with, and the terms of a document's title and text in it. Only reads.

        Args:
            analysis: Name of the analysis preset.
            document: The document.
            metadata: As for `writer`.

        Raises:
            ConfigError: There is no such analysis.
            InputError: The backend knows no other `k1` and `b`.
        """
        ...

    def count(self, index: str) -> int:
        """Count the documents of the published version, as `IndexInfo.documents` does."""
        ...

    def existing(self, index: str, doc_ids: Sequence[str]) -> set[str]:
        """Return those of some ids under which the published version has a document, as of its last commit.

        Raises:
            InputError: The index does not exist.
        """
        ...

    def scan(self, index: str) -> Iterator[Document]:
        """Yield every document of the published version as it is now, whatever is written meanwhile.

        Of an index of passages, every passage.
        """
        ...

    def delete(self, index: str) -> None:
        """Delete the index with all its versions."""
        ...


@runtime_checkable
class Rescorer(Protocol):
    """The second stage: scores texts for a query and does nothing else (no sorting, no top-k)."""

    @property
    def revision(self) -> str:
        """A string that changes whenever a score may change."""
        ...

    @property
    def info(self) -> RescorerInfo:
        """What the rescorer says of itself."""
        ...

    def score(self, request: ScoreRequest) -> list[Scored]:
        """Score each text of the request, in the same order. Blocks; safe from many threads.

        Raises:
            RescorerError: The model failed.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A rescorer that holds something beside memory."""

    def close(self) -> None:
        """Give it back."""
        ...


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that a reader could not turn into a document.

    Attributes:
        source: The file it stands in.
        line: Its first line there, from 1; None where a source has no lines.
        reason: What is wrong with it, in plain words.
        record: The record as it stands in the source.
    """

    source: str
    line: int | None
    reason: str
    record: str = ""


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What a reader may be told; each reader looks at what concerns its format.

    Attributes:
        id_column: Column or key that holds the document's id; None: the usual names.
        title_column: Column or key that holds its title; None: the usual names.
        text_column: Column or key that holds its text; None: the usual names.
        docstrings: Whether docstrings stand in the text of documents made from Python code.
        select: The SELECT that is sent to a database.
        settings: What is in force: who we are to an engine, where embedded indexes lie. A change of theirs makes no
            other source.
    """

    id_column: str | None = None
    title_column: str | None = None
    text_column: str | None = None
    docstrings: bool = True
    select: str | None = None
    settings: Settings | None = field(default=None, repr=False)


@runtime_checkable
class Reader(Protocol):
    """Reads one source format."""

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the source's records in a fixed order, leaving out the first `start` of them.

        Raises:
            InputError: The source as a whole cannot be read.
        """
        ...

    def fingerprint(self) -> str:
        """A string that changes when the source changes: a resumed run checks it."""
        ...


class Extent(NamedTuple):
    """How much of a source was read."""

    done: int
    total: int
    unit: Literal["bytes", "records"]


@runtime_checkable
class MeasuredReader(Reader, Protocol):
    """A reader that knows how large its source is, so that a progress bar can tell when it will be through."""

    def extent(self) -> Extent:
        """Return how far the last `read` has come. Safe while it is going on; nothing is done before its first record.

        Bytes are those that lie on the disk, packed or not.
        """
        ...


class OpenReader(Protocol):
    """The factory that a reader's entry point names."""

    def __call__(self, source: str, options: ReaderOptions) -> Reader | None:
        """Return a reader of the source, or None where this format is not what the source is. Reads nothing yet."""
        ...
