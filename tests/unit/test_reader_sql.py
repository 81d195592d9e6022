from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from prorank_ingest.readers import sql
from prorank_search.errors import ConfigError, InputError, MissingExtraError
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

SELECT = "SELECT id, title, body, born FROM animals ORDER BY id"


@pytest.fixture
def database(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "animals.db")) as connection, connection:
        connection.execute("CREATE TABLE animals (id INTEGER, title TEXT, body TEXT, born DATE)")
        rows = [(1, "Dog", "It barks.", "2020-01-02"), (2, None, "It purrs.", None), (3, "Owl", None, None)]
        connection.executemany("INSERT INTO animals VALUES (?, ?, ?, ?)", rows)
    return f"sqlite:///{tmp_path}/animals.db"


def reader_of(source: str, select: str = SELECT) -> Reader:
    reader = sql.open_reader(source, ReaderOptions(select=select))
    assert reader is not None
    return reader


def test_rows_become_documents(database: str) -> None:
    assert list(reader_of(database, f"{SELECT};").read()) == [
        Document("1", "It barks.", "Dog", {"born": "2020-01-02"}),
        Document("2", "It purrs."),
        Document("3", "", "Owl"),
    ]


def test_text_that_is_not_utf8_spoils_its_row_alone(database: str) -> None:
    select = "SELECT id, CASE id WHEN 2 THEN CAST(x'636166E9' AS TEXT) ELSE title END AS text FROM animals ORDER BY id"
    first, bad, last = reader_of(database, select).read()
    assert (first, last) == (Document("1", "Dog"), Document("3", "Owl"))
    assert isinstance(bad, BadRecord)
    assert (bad.line, bad.reason) == (2, "not UTF-8: surrogates not allowed at character 3")


def test_another_order_is_another_source(database: str) -> None:
    backwards = reader_of(database, f"{SELECT} DESC")
    assert reader_of(database).fingerprint() != backwards.fingerprint()


@pytest.mark.parametrize(
    ("select", "complaint"),
    [
        ("SELECT id FROM animals", "no column for the text .* it has the columns id"),
        ("SELECT legs FROM animals", "did not answer 'SELECT legs FROM animals': no such column"),
        ("SELECT id, body FROM nowhere", "no such table: nowhere"),
    ],
)
def test_a_select_that_cannot_be_used_is_refused_with_the_databases_words(
    database: str, select: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        list(reader_of(database, select).read())


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        list(reader_of(f"sqlite:///{tmp_path}/nowhere.db").read())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("select", [None, "", "DELETE FROM animals", "  update animals set id = 1"])
def test_nothing_but_a_select_is_sent(database: str, select: str | None) -> None:
    with pytest.raises(ConfigError, match="--select"):
        sql.open_reader(database, ReaderOptions(select=select))


def test_a_password_is_never_written_out() -> None:
    with pytest.raises(
        ConfigError, match=r"postgresql://eve:\*\*\*@db/animals: a password is never written"
    ) as refused:
        reader_of("postgresql://eve:secret@db/animals")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("key", ["password", "PassWd", "sslpassword"])
def test_a_password_among_the_options_is_refused(key: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"postgresql://db/animals: {key} is never written into an address"
    ) as refused:
        reader_of(f"postgresql://db/animals?{key}=secret")
    assert "secret" not in str(refused.value)


def test_a_password_comes_from_the_variable_that_stands_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="the variable DB_PASSWORD is not set"):
        reader_of("postgresql://eve:$DB_PASSWORD@db/animals")
    monkeypatch.setenv("DB_PASSWORD", "p@ss/word")
    assert reader_of("postgresql://eve:$DB_PASSWORD@db/animals")


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(MissingExtraError, match="pip install"):
        list(reader_of("mysql+pymysql://eve@db/animals").read())


@pytest.mark.parametrize("source", ["https://example.org/a.jsonl", "http://example.org", "animals.db", "file:///a.txt"])
def test_what_is_no_database_is_left_to_others(source: str) -> None:
    assert sql.open_reader(source, ReaderOptions()) is None
