from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from prorank_search.errors import ConfigError
from prorank_search.evaluation.ordering import ScoreTable, order
from prorank_search.evaluation.score_cache import open_score_cache, remembering
from prorank_search.evaluation.suite_file import Pick, System
from prorank_search.protocols import Rescorer
from prorank_search.rescore import RescoreOptions, rescore
from prorank_search.rescorers import from_function
from prorank_search.rescorers.chain import ChainRescorer, Part, part_settings
from prorank_search.search import load_rescorer
from prorank_search.settings import load_settings
from prorank_search.types import Blend, Document, Hit, Query, Ranking, RescorerInfo, Scored, ScoreRequest

TEXTS = ("bb", "a", "dddd", "ccc", "eeeee")
RANKING = Ranking(Query("q", "any"), tuple(Hit(Document(text, text), 9.0 - at) for at, text in enumerate(TEXTS)))


class Late:
    """Scores the first texts only, as where a deadline struck."""

    revision = "late-1"
    info = RescorerInfo("late")

    def __init__(self, done: int) -> None:
        self.done = done

    def score(self, request: ScoreRequest) -> list[Scored]:
        return [Scored(-float(len(text)) if at < self.done else None) for at, text in enumerate(request.texts)]


def lengths() -> Rescorer:
    return from_function(lambda _, texts: [float(len(text)) for text in texts], name="lengths", revision="lengths-1")


def shortest(asked: list[str] | None = None) -> Rescorer:
    seen = [] if asked is None else asked

    def score(_: str, texts: Sequence[str]) -> list[float]:
        seen.extend(texts)
        return [-float(len(text)) for text in texts]

    return from_function(score, name="shortest", revision="shortest-1")


def chain(last: Rescorer, keep: int = 3, weight: float = 0.0) -> ChainRescorer:
    return ChainRescorer([Part(lengths(), keep, weight), Part(last, None, 1.0)])


def test_the_next_one_sees_only_what_was_kept_in_the_order_of_the_request() -> None:
    asked: list[str] = []
    scored = chain(shortest(asked)).score(ScoreRequest("any", TEXTS))
    assert asked == ["dddd", "ccc", "eeeee"]
    assert [one.score for one in scored] == [None, None, -4.0, -3.0, -5.0]
    assert [one.left_out for one in scored] == [True, True, False, False, False]
    assert [dict(one.parts) for one in scored[1:3]] == [{"lengths": 1.0}, {"lengths": 4.0, "shortest": -4.0}]


def test_a_search_is_ordered_by_the_last_one_then_by_the_one_that_left_out() -> None:
    hits, status = rescore(RANKING, chain(shortest()), RescoreOptions(window_size=5))
    assert [hit.document.doc_id for hit in hits] == ["ccc", "dddd", "eeeee", "bb", "a"]
    assert (status.state, status.model) == ("ok", "lengths > shortest")
    assert status.parts == {"lengths": 5, "shortest": 3}
    assert hits[-1].parts == {"lengths": 1.0}
    assert hits[-1].rescore_score is None
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_it_orders_as_the_cascade_of_a_suite_does() -> None:
    system = System(name="cascade", rescorers=["b"], pick=Pick(rescorer="a", window_size=4, keep=2))
    tables = {
        "a": ScoreTable(RescorerInfo("a"), "1", {("q", text): float(len(text)) for text in TEXTS}),
        "b": ScoreTable(RescorerInfo("b"), "1", {("q", text): -float(len(text)) for text in TEXTS}),
    }
    hits, _ = rescore(RANKING, chain(shortest(), keep=2), RescoreOptions(window_size=4))
    suite = order(system, RANKING, 4, tables)
    assert [hit.document.doc_id for hit in hits] == [hit.document.doc_id for hit in suite]


def test_what_the_deadline_overtook_stands_before_what_was_left_out_and_the_answer_is_partial() -> None:
    hits, status = rescore(RANKING, chain(Late(1)), RescoreOptions(window_size=5))
    assert [hit.document.doc_id for hit in hits] == ["dddd", "eeeee", "ccc", "bb", "a"]
    assert (status.state, status.parts) == ("partial", {"lengths": 5, "late": 1})


def test_where_only_the_first_one_was_in_time_its_order_stands() -> None:
    hits, status = rescore(RANKING, chain(Late(0)), RescoreOptions(window_size=5))
    assert [hit.document.doc_id for hit in hits] == ["eeeee", "dddd", "ccc", "bb", "a"]
    assert status.state == "partial"


def test_a_weight_blends_the_scores_of_what_was_kept() -> None:
    blended = chain(shortest(), weight=2.0)
    scored = blended.score(ScoreRequest("any", TEXTS))
    assert [one.score for one in scored if one.score is not None] == pytest.approx([0.0, -1.2247, 1.2247], abs=1e-3)
    assert blended.info.blend is None


def test_it_says_of_itself_what_its_parts_do() -> None:
    first = RescorerInfo("cheap", window_size=50, seconds_a_text=0.01, passages_per_hit=2)
    last = RescorerInfo("good", blend=Blend("total", "zscore"), reason="untrained", seconds_a_text=0.5)

    class Said(Late):
        def __init__(self, info: RescorerInfo) -> None:
            super().__init__(9)
            self.info = info

    info = ChainRescorer([Part(Said(first), 10), Part(Said(last), weight=1.0)]).info
    assert (info.model, info.window_size, info.blend, info.reason) == ("cheap > good", 50, last.blend, "untrained")
    assert info.seconds_a_text == pytest.approx(0.01 + 0.5 * 10 / 50)
    assert info.passages_per_hit == 2


def test_two_parts_of_the_same_model_are_told_apart() -> None:
    scored = ChainRescorer([Part(lengths(), 1), Part(lengths())]).score(ScoreRequest("any", ["a"]))
    assert dict(scored[0].parts) == {"lengths": 1.0, "lengths (2)": 1.0}


def test_its_parts_are_remembered_each_for_itself(tmp_path: Path) -> None:
    cache = open_score_cache(tmp_path / "scores.sqlite", 1)
    asked: list[str] = []
    remembered = remembering(chain(shortest(asked), keep=2), cache)
    first = remembered.score(ScoreRequest("any", TEXTS))
    assert remembered.score(ScoreRequest("any", TEXTS)) == first
    assert asked == ["dddd", "eeeee"]
    assert [one.score for one in remembered.score(ScoreRequest("any", TEXTS[:2]))] == [-2.0, -1.0]


def test_the_settings_name_its_parts(tmp_path: Path) -> None:
    config = tmp_path / "prorank.toml"
    config.write_text(
        '[profiles.books]\nrescorer = "chain"\n'
        '[[profiles.books.chain]]\nrescorer = "overlap"\nkeep = 2\n[[profiles.books.chain]]\nrescorer = "overlap"\n',
        encoding="utf-8",
    )
    opened = load_rescorer(settings=load_settings(index="books", config=config))
    assert opened.revision == "overlap-1:2:0.0 > overlap-1:None:1.0"
    text = '[{"rescorer": "overlap", "keep": 1}, {"rescorer": "overlap"}]'
    assert load_settings(chain=text).chain[0].keep == 1


def test_a_part_may_cut_texts_at_a_length_of_its_own() -> None:
    chain = [{"rescorer": "overlap", "model": "small", "max_length_tokens": 256}, {"rescorer": "overlap"}]
    first, last = part_settings(load_settings(model="large", max_length_tokens=768, chain=chain))
    assert (first.model, first.max_length_tokens) == ("small", 256)
    assert (last.model, last.max_length_tokens) == ("large", 768)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "at least two"),
        ([{"rescorer": "overlap"}], "at least two"),
        ([{"rescorer": "overlap"}, {"rescorer": "overlap", "keep": 3}], "keeps nothing"),
        ([{"rescorer": "chain"}, {"rescorer": "overlap"}], "none is a chain"),
        ([{"rescorer": "overlap", "kep": 3}, {"rescorer": "overlap"}], "did you mean 'keep'"),
    ],
)
def test_a_chain_that_is_none_is_refused(given: list[dict[str, object]], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_rescorer(settings=load_settings(rescorer="chain", chain=given))
