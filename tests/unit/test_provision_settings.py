"""The cluster's settings: what is added, and that all comes back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from prorank_search.errors import ConfigError
from prorank_search.provision.cluster_settings import (
    PRIVATE,
    RECORD,
    REMOTE,
    TRUSTED,
    Changes,
    Need,
    Settings,
    additions,
    check,
    restored,
)

DEFAULTS = {TRUSTED: ["^https://api\\.cohere\\.ai/.*$"], PRIVATE: "false", REMOTE: "true"}
INSIDE = Need("http://10.0.0.1:8080/v2/rerank", r"^http://10\.0\.0\.1:8080/v2/rerank$", private=True)
OUTSIDE = Need("https://rerank.example.com/v2/rerank", r"^https://rerank\.example\.com/v2/rerank$", private=False)


def cluster(**persistent: object) -> Settings:
    """A cluster that tells a default only where nothing goes before it, as OpenSearch does."""
    return Settings(persistent, {}, {name: value for name, value in DEFAULTS.items() if name not in persistent})


def written(settings: Settings, changes: Changes) -> Settings:
    persistent = {name: value for name, value in {**settings.persistent, **changes}.items() if value is not None}
    return cluster(**persistent)


@pytest.mark.parametrize(
    "persistent",
    [{}, {TRUSTED: ["^https://mine/.*$"]}, {PRIVATE: "true"}, {PRIVATE: "false"}, {TRUSTED: DEFAULTS[TRUSTED]}],
)
def test_all_comes_back_as_it_was(persistent: Mapping[str, object]) -> None:
    before = cluster(**persistent)
    after = written(before, additions(before, "prorank", INSIDE))
    assert set(before.trusted) < set(after.trusted)
    assert after.in_force(PRIVATE) == "true"
    assert written(after, restored(after, "prorank")) == before


def test_what_is_there_already_is_not_written_again() -> None:
    after = written(cluster(), additions(cluster(), "prorank", INSIDE))
    assert additions(after, "prorank", INSIDE) == {}
    broad = cluster(**{TRUSTED: ["^https://.*$"]})
    assert additions(broad, "prorank", OUTSIDE) == {}
    assert restored(broad, "prorank") == {}


def test_a_public_address_lets_no_private_ones_be_asked() -> None:
    assert set(additions(cluster(), "prorank", OUTSIDE)) == {TRUSTED, RECORD}


def test_two_pipelines_share_and_the_last_one_puts_all_back() -> None:
    one = written(cluster(), additions(cluster(), "one", INSIDE))
    both = written(one, additions(one, "two", INSIDE))
    three = written(both, additions(both, "three", OUTSIDE))
    for *first, last, left in (["one", "two", "three", OUTSIDE], ["three", "two", "one", INSIDE]):
        settings = three
        for name in first:
            settings = written(settings, restored(settings, str(name)))
        assert isinstance(left, Need)
        assert left.pattern in settings.trusted
        assert written(settings, restored(settings, str(last))) == cluster()


def test_what_others_wrote_meanwhile_stays() -> None:
    ours = written(cluster(), additions(cluster(), "prorank", INSIDE))
    later = written(ours, {TRUSTED: [*ours.trusted, "^https://later/.*$"], PRIVATE: "true"})
    assert written(later, restored(later, "prorank")).trusted == [*DEFAULTS[TRUSTED], "^https://later/.*$"]


def test_an_expression_that_python_cannot_read_is_left_alone() -> None:
    odd = cluster(**{TRUSTED: ["^https://[a-z&&[^b]]++/.*$", "(?<broken"]})
    assert additions(odd, "prorank", OUTSIDE)[TRUSTED] == [*odd.trusted, OUTSIDE.pattern]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings({}, {TRUSTED: []}, DEFAULTS), "make it persistent first"),
        (Settings({REMOTE: "false"}, {}, DEFAULTS), "asks no service at all"),
    ],
)
def test_settings_that_would_have_no_effect_are_told_of(settings: Settings, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check(settings)
