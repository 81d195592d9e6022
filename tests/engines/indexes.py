"""Indexes for the tests of the engines: ours, made as an ingest makes them, and somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from prorank_search.backends.engines.analysis import IndexAnalysis, index_body, source_of
from prorank_search.backends.engines.connection import Engine, path
from prorank_search.types import Document

SHOP: dict[str, object] = {
    "sku": {"type": "keyword"},
    "brand": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
    "price": {"type": "float"},
    "product": {"properties": {"name": {"type": "text"}}},
    "sections": {"type": "nested", "properties": {"heading": {"type": "text"}, "body": {"type": "text"}}},
}
"""A mapping that somebody else made: with dots in names and nested objects."""
SHIPPING = {"heading": "Shipping", "body": "Goes out within two days in a box made of old paper."}
GOODS = [
    {
        "sku": "S-1",
        "brand": "Acme Ltd",
        "price": 20,
        "product": {"name": "Kettle"},
        "sections": [{"heading": "About", "body": "Boils water quickly, and quietly at that."}, SHIPPING],
    },
    {
        "sku": "S-2",
        "brand": "Lux",
        "price": 30,
        "product": {"name": "Garden lamp"},
        "sections": [{"heading": "About", "body": "Lights up everything that grows outside at night."}, SHIPPING],
    },
]


@contextmanager
def our_index(engine: Engine, name: str, analysis: IndexAnalysis, documents: Sequence[Document]) -> Iterator[str]:
    """Make an index as an ingest makes it, behind an alias, and delete it afterwards."""
    rows = [row for each in documents for row in ({"index": {"_id": each.doc_id}}, source_of(each))]
    with index_of(engine, f"{name}-1", index_body(analysis), rows):
        engine.request("POST", "/_aliases", {"actions": [{"add": {"index": f"{name}-1", "alias": name}}]})
        yield name


@contextmanager
def shop(engine: Engine, name: str) -> Iterator[str]:
    """Make the index of somebody else."""
    rows = [row for each in GOODS for row in ({"index": {"_id": each["sku"]}}, each)]
    with index_of(engine, name, {"mappings": {"properties": SHOP}}, rows):
        yield name


@contextmanager
def index_of(
    engine: Engine, name: str, body: Mapping[str, object], rows: Sequence[Mapping[str, object]]
) -> Iterator[None]:
    """Make an index, fill it by one bulk request, and delete it afterwards."""
    engine.request("PUT", path(name), body)
    try:
        if rows:
            answer = engine.request("POST", path(name, "_bulk"), rows, params={"refresh": True})
            assert not answer["errors"], answer
        yield
    finally:
        engine.request("DELETE", path(name))
