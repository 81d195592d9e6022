"""What the client of this machine looks up once, and what it looks up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prorank_search.backends.tantivy import TantivyBackend
from prorank_search.settings import load_settings
from prorank_search.types import Document
from prorank_ui.clients.local_client import LocalClient
from prorank_ui.roles import Person


def write(home: Path, title: str, *, replace: bool = False) -> None:
    with TantivyBackend(home / "indexes").writer("zoo", analysis="english", replace=replace) as writer:
        writer.add([Document(title, "It barks.", title=title)])
        writer.publish()


def test_examples_are_looked_for_once_until_the_index_changes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    scan = TantivyBackend.scan

    def counted(backend: TantivyBackend, index: str) -> Iterator[Document]:
        looked.append(index)
        return scan(backend, index)

    monkeypatch.setattr(TantivyBackend, "scan", counted)
    write(home, "A dog that barks")
    client = LocalClient(load_settings(), lambda: Person("viewer"))
    (before,) = client.indexes()
    assert client.examples(before) == client.examples(before) == ["A dog that barks"]
    assert looked == ["zoo"]
    write(home, "A fox that runs", replace=True)
    (after,) = client.indexes()
    assert client.examples(after) == ["A fox that runs"]
