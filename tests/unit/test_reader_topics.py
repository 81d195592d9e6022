from __future__ import annotations

from prorank_ingest.readers import topics
from prorank_search.protocols import Reader, ReaderOptions
from prorank_search.types import Document


def reader() -> Reader:
    found = topics.open_reader("python-topics", ReaderOptions())
    assert found is not None
    return found


def sections() -> dict[str, Document]:
    return {record.doc_id: record for record in reader().read() if isinstance(record, Document)}


def test_every_section_has_an_id_of_its_own_a_title_and_a_text() -> None:
    records = list(reader().read())
    assert len(sections()) == len(records) > 100
    assert all(section.title and section.text.strip() for section in sections().values())


def test_topics_are_cut_at_their_headings() -> None:
    found = sections()
    assert found["try"].title == 'The "try" statement'
    assert found["try#finally-clause"].title == 'The "try" statement: "finally" clause'
    assert "====" not in found["try"].text
    assert found["try#finally-clause"].text.startswith('If "finally" is present')


def test_a_section_that_several_topics_quote_is_read_once() -> None:
    texts = [" ".join(section.text.split()) for section in sections().values()]
    assert len(texts) == len(set(texts))


def test_another_source_is_left_to_other_readers() -> None:
    assert topics.open_reader("python", ReaderOptions()) is None
