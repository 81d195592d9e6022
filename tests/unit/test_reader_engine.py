from __future__ import annotations

import pytest
from pydantic import SecretStr

from prorank_ingest.readers.engine import EngineIndex, open_reader
from prorank_search.errors import ConfigError, InputError
from prorank_search.protocols import ReaderOptions
from prorank_search.settings import Settings


def opened(source: str, settings: Settings) -> EngineIndex:
    reader = open_reader(source, ReaderOptions(settings=settings))
    assert isinstance(reader, EngineIndex)
    return reader


def eve(url: str | None) -> Settings:
    return Settings(url=url, engine_username="eve", engine_password=SecretStr("apple"))


def test_an_address_is_an_engine_and_the_name_of_an_index() -> None:
    reader = opened("https://search.example/os/my%20articles/", Settings())
    assert (reader.settings.url, reader.index) == ("https://search.example/os", "my articles")


@pytest.mark.parametrize("url", [None, "http://a:9200", "http://b:9200,http://a"])
def test_the_user_of_the_settings_is_sent_where_the_settings_say(url: str | None) -> None:
    settings = opened("http://a:9200/articles", eve(url)).settings
    assert (settings.engine_username, settings.engine_password) == ("eve", SecretStr("apple"))


def test_another_engine_does_not_get_the_user_of_the_settings() -> None:
    settings = opened("http://a:9200/articles", eve("http://b:9200")).settings
    assert (settings.engine_username, settings.engine_password, settings.engine_api_key) == (None, None, None)


def test_a_user_of_the_source_has_his_password_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD", "pear")
    reader = opened("http://adam:$OLD@a:9200/articles", eve("http://a:9200"))
    assert (reader.settings.engine_username, reader.settings.engine_password) == ("adam", SecretStr("pear"))
    assert reader.settings.url == "http://a:9200"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("http://adam:pear@a:9200/articles", "never written out"),
        ("http://adam@a:9200/articles", "never written out"),
        ("http://adam:$NOWHERE@a:9200/articles", "variable NOWHERE is not set"),
    ],
)
def test_a_password_that_cannot_be_used_is_told_and_not_shown(source: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as told:
        opened(source, Settings())
    assert "pear" not in str(told.value)


def test_an_address_without_an_index_is_told() -> None:
    with pytest.raises(InputError, match="names no index"):
        opened("http://a:9200", Settings())


def test_without_settings_nobody_knows_who_we_are() -> None:
    with pytest.raises(ConfigError, match="settings="):
        open_reader("http://a:9200/articles", ReaderOptions())


@pytest.mark.parametrize("source", ["sqlite:///a.db", "a.jsonl", "tantivy:articles", "opensearch://a/articles"])
def test_other_sources_are_left_to_others(source: str) -> None:
    assert open_reader(source, ReaderOptions(settings=Settings())) is None


def test_a_setting_makes_no_other_source() -> None:
    assert repr(ReaderOptions(settings=eve(None))) == repr(ReaderOptions())
