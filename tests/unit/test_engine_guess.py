from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest

from prorank_search.backends.engines.guess import guess, to_toml
from prorank_search.backends.engines.mappings import IndexMapping, mapping_of
from prorank_search.errors import InputError
from prorank_search.types import SourcePaths

TEXT = {"type": "text"}


def mapping(**properties: Mapping[str, object]) -> IndexMapping:
    return mapping_of("shop", {"shop-1": {"mappings": {"properties": properties}}})


def test_the_longest_text_is_the_text_whatever_its_name() -> None:
    sample = [{"description": "Short.", "story": "A long story. " * 20, "headline": "Storm"}]
    guessed = guess(mapping(description=TEXT, story=TEXT, headline=TEXT), sample)
    assert guessed.source == SourcePaths(title="headline", text="story")
    assert any("not searched" in reason and "description" in reason for reason in guessed.reasons)


def test_of_texts_about_as_long_the_one_with_a_telling_name_is_the_text() -> None:
    sample = [{"notes": "x" * 120, "body": "y" * 100}]
    assert guess(mapping(notes=TEXT, body=TEXT), sample).source == SourcePaths(text="body")


def test_a_field_that_is_hardly_ever_filled_is_no_text() -> None:
    sample = [{"body": "Something."}] * 19 + [{"legal": "z" * 900, "body": "Something."}]
    assert guess(mapping(body=TEXT, legal=TEXT), sample).source.text == "body"


@pytest.mark.parametrize(
    ("found", "sample", "message"),
    [
        (mapping(body=TEXT), [], "has no documents"),
        (mapping(sku={"type": "keyword"}), [{"sku": "1"}], "no field of type text .*its fields: sku"),
    ],
)
def test_where_there_is_nothing_to_guess_from_it_is_said(
    found: IndexMapping, sample: list[Mapping[str, object]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        guess(found, sample)


@pytest.mark.parametrize("index", ["shop", "shop-2.1", "größe"])
def test_a_guess_is_a_table_of_the_settings_file(index: str) -> None:
    guessed = guess(mapping(**{"a b": TEXT}), [{"a b": "A text."}])
    assert tomllib.loads(to_toml(index, guessed)) == {
        "profiles": {index: {"fields": {"a b": 1.0}, "source": {"text": "a b"}}}
    }
