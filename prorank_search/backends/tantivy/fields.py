"""What stands in an embedded index: its fields, a document in them and back, and the queries over them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import tantivy

from prorank_search.analysis import Preset
from prorank_search.errors import InputError
from prorank_search.passages import passage_facts
from prorank_search.stored_documents import check_id, facts, from_source, to_source, wanted_facts
from prorank_search.types import BM25, Document

SEARCHED = ("title", "text")
ANALYZER = "terms"


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis preset, ready to use."""

    preset: Preset
    analyzer: tantivy.TextAnalyzer

    def terms(self, text: str) -> list[str]:
        """Return the indexed terms of a text, in order."""
        terms: list[str] = self.analyzer.analyze(self.spaced(text))
        return terms

    def spaced(self, text: str) -> str:
        """Return the terms of a text before stemming, as the one string that tantivy is given."""
        return " ".join([token[0] for token in self.preset.tokens(text)])


def require_usual_weights(metadata: Mapping[str, object]) -> None:
    """Raise InputError where an index is to have a `k1` or `b` of its own: tantivy has one for all."""
    other = {name: metadata[name] for name, usual in BM25.items() if metadata.get(name, usual) != usual}
    if other:
        wanted = " and ".join(f"{name} = {value}" for name, value in other.items())
        usual = " and ".join(f"{name} = {value}" for name, value in BM25.items())
        raise InputError(f"an embedded index has {usual}, and cannot have {wanted}: leave that out, or take an engine")


def analysis_of(preset: Preset) -> Analysis:
    """Build the tantivy side of a preset: lower-casing, stop words, stemmer."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(tantivy.Filter.lowercase())
    if preset.stop_words:
        builder = builder.filter(tantivy.Filter.custom_stopword(sorted(preset.stop_words)))
    if preset.stemmer:
        builder = builder.filter(tantivy.Filter.stemmer(preset.stemmer))
    return Analysis(preset, builder.build())


@cache
def schema() -> tantivy.Schema:
    """Return the fields of an embedded index.

    `source` holds the whole document; `facts` its metadata as `key=value`, for filters.
    """
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("doc_id", tokenizer_name="raw", index_option="basic")
    for field in SEARCHED:
        builder.add_text_field(field, tokenizer_name=ANALYZER, index_option="freq")
    builder.add_text_field("facts", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("source", stored=True)
    return builder.build()


def to_tantivy(document: Document, analysis: Analysis) -> tantivy.Document:
    """Return a document as tantivy takes it.

    Raises:
        InputError: Its id is empty or too long, or its metadata is not JSON.
    """
    check_id(document.doc_id)
    source = _to_json(document)
    entry = tantivy.Document()
    entry.add_text("doc_id", document.doc_id)
    entry.add_text("title", analysis.spaced(document.title))
    entry.add_text("text", analysis.spaced(document.text))
    for fact in (*facts(document.metadata), *passage_facts(document)):
        entry.add_text("facts", fact)
    entry.add_bytes("source", source)
    return entry


def from_tantivy(entry: tantivy.Document) -> Document:
    """Return the document that `to_tantivy` was given."""
    return from_source(json.loads(entry["source"][0]))


def text_query(terms: Iterable[str], fields: Mapping[str, float]) -> tantivy.Query:
    """Return the query for analysed terms: each field's BM25, summed; a term that stands twice counts twice."""
    return tantivy.Query.boolean_query(
        [
            (tantivy.Occur.Should, term_query(field, term, boost * occurrences))
            for term, occurrences in Counter(terms).items()
            for field, boost in fields.items()
        ]
    )


def term_query(field: str, term: str, boost: float) -> tantivy.Query:
    """Return the query for one analysed term of a field: its BM25 times a factor."""
    return tantivy.Query.boost_query(tantivy.Query.term_query(schema(), field, term, "freq"), boost)


def filtered(query: tantivy.Query, wanted: Mapping[str, object]) -> tantivy.Query:
    """Return `query` over the documents whose metadata has each key at its value (or at any of its values).

    A key inside another is `outer.inner`, or a table in a table, as TOML reads it.
    """
    clauses = [(tantivy.Occur.Must, query)]
    for facts_of_key in wanted_facts(wanted):
        facts_query = tantivy.Query.term_set_query(schema(), "facts", facts_of_key)
        clauses.append((tantivy.Occur.Must, tantivy.Query.const_score_query(facts_query, 0.0)))
    return tantivy.Query.boolean_query(clauses)


def with_fact(query: tantivy.Query, fact: str) -> tantivy.Query:
    """Return `query` over the entries that have a fact; scores stay as they are."""
    has_it = tantivy.Query.const_score_query(tantivy.Query.term_query(schema(), "facts", fact), 0.0)
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, has_it)])


def _to_json(document: Document) -> bytes:
    try:
        return json.dumps(to_source(document), ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        message = f"it cannot be stored as JSON: {error}"
        raise InputError(message) from error
