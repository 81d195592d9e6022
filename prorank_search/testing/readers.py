"""What every reader must do."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice

import pytest

from prorank_search.protocols import BadRecord, OpenReader, Reader, ReaderOptions
from prorank_search.types import Document

LONGEST_ID_BYTES = 512


class ReaderContract:
    """What every reader must do; give it two fixtures, a third one where the source can be changed.

    `open_reader` is the factory under test, `source` names a source that it reads, `change_source` is a function that
    changes this source, and `options` are what the reader has to be told, if anything.

    Attributes:
        repeatable: Whether the source can be read again. The fingerprint of one that cannot is never the same.
        fewest: How many records the source has at least; fewer than three show no order.
    """

    repeatable = True
    fewest = 3

    @pytest.fixture
    def open_reader(self) -> OpenReader:
        """Return the factory under test."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> str:
        """Return the name of a source of at least `fewest` records."""
        raise NotImplementedError

    @pytest.fixture
    def options(self) -> ReaderOptions:
        """Return what the reader is told."""
        return ReaderOptions()

    @pytest.fixture
    def change_source(self) -> Callable[[], object]:
        """Return a function that changes the source; here there is none."""
        pytest.skip("this source does not change")

    def test_a_document_is_what_an_index_takes(
        self, open_reader: OpenReader, source: str, options: ReaderOptions
    ) -> None:
        """An id of 1 to 512 bytes, something to search in, metadata that are JSON; all of it UTF-8."""
        documents = [record for record in _read(open_reader, source, options) if isinstance(record, Document)]
        assert documents
        for document in documents:
            assert document.doc_id.strip()
            assert len(document.doc_id.encode()) <= LONGEST_ID_BYTES
            assert f"{document.title}{document.text}".strip()
            assert f"{document.title}{document.text}{json.dumps(document.metadata, ensure_ascii=False)}".encode()

    def test_a_bad_record_says_where_it_stands_and_what_is_wrong(
        self, open_reader: OpenReader, source: str, options: ReaderOptions
    ) -> None:
        """Lines are counted from 1."""
        for record in _read(open_reader, source, options):
            if isinstance(record, BadRecord):
                assert record.source
                assert record.reason
                assert record.line is None or record.line >= 1

    def test_the_first_records_can_be_left_out(
        self, open_reader: OpenReader, source: str, options: ReaderOptions
    ) -> None:
        """Bad ones count as well: a killed run goes on where it stopped."""
        everything = _read(open_reader, source, options)
        assert len(everything) >= self.fewest
        for start in (0, 1, len(everything) - 1, len(everything), len(everything) + 1):
            assert _read(open_reader, source, options, start) == everything[start:]

    def test_records_come_one_by_one(self, open_reader: OpenReader, source: str, options: ReaderOptions) -> None:
        """The source may be larger than memory."""
        records = _opened(open_reader, source, options).read()
        assert iter(records) is records
        assert list(islice(records, 1)) == _read(open_reader, source, options)[:1]

    def test_the_fingerprint_stays_while_the_source_does(
        self, open_reader: OpenReader, source: str, options: ReaderOptions
    ) -> None:
        """Reading it changes nothing."""
        first = _opened(open_reader, source, options)
        before = first.fingerprint()
        list(first.read())
        assert before
        assert (_opened(open_reader, source, options).fingerprint() == before) is self.repeatable

    def test_the_fingerprint_changes_with_the_source(
        self, open_reader: OpenReader, source: str, options: ReaderOptions, change_source: Callable[[], object]
    ) -> None:
        """So that no run goes on in the middle of something else."""
        before = _opened(open_reader, source, options).fingerprint()
        change_source()
        assert _opened(open_reader, source, options).fingerprint() != before

    @pytest.mark.parametrize("foreign", ["no/such.source", "no such source"])
    def test_what_is_no_source_of_its_own_is_left_to_others(self, open_reader: OpenReader, foreign: str) -> None:
        """Several readers are asked for each source."""
        assert open_reader(foreign, ReaderOptions()) is None


def _opened(open_reader: OpenReader, source: str, options: ReaderOptions) -> Reader:
    reader = open_reader(source, options)
    assert reader is not None
    return reader


def _read(open_reader: OpenReader, source: str, options: ReaderOptions, start: int = 0) -> list[Document | BadRecord]:
    return list(_opened(open_reader, source, options).read(start))
