"""Systems side by side: orders out of scores, cascades, sweeps, what is scored, and what sums it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prorank_search.errors import ConfigError, InputError, RescorerError
from prorank_search.evaluation.blend_choice import choose_blend, variants
from prorank_search.evaluation.comparison import RunComparison
from prorank_search.evaluation.ordering import ScoreTable, order
from prorank_search.evaluation.score_cache import CachedRescorer, open_score_cache
from prorank_search.evaluation.suite import SuiteResult, measure_suite
from prorank_search.evaluation.suite_candidates import Candidates
from prorank_search.evaluation.suite_file import Suite, SuiteRescorer, System
from prorank_search.evaluation.suite_scores import AllTables, score_all
from prorank_search.evaluation.suite_summary import corrected, does_harm, means, to_json
from prorank_search.profiles import Profile
from prorank_search.protocols import Rescorer
from prorank_search.types import Document, Hit, Qrel, Query, Ranking, RescorerInfo, Scored, ScoreRequest

DOCS = ("a", "b", "c", "d")
RANKING = Ranking(Query("q", "text"), tuple(Hit(Document(doc, doc), 4.0 - at) for at, doc in enumerate(DOCS)))
TABLES = {
    "up": ScoreTable(RescorerInfo("up"), "1", {("q", doc): float(at) for at, doc in enumerate(DOCS)}),
    "odd": ScoreTable(RescorerInfo("odd"), "1", {("q", "a"): -1.0, ("q", "b"): 2.0, ("q", "c"): -3.0, ("q", "d"): 1.0}),
}


def ordered(window_size: int, **system: object) -> str:
    hits = order(System.model_validate({"name": "system", **system}), RANKING, window_size, TABLES)
    return "".join(hit.document.doc_id for hit in hits)


@pytest.mark.parametrize(
    ("system", "window_size", "expected"),
    [
        ({}, 4, "abcd"),
        ({"rescorers": ["up"]}, 4, "dcba"),
        ({"rescorers": ["up"]}, 2, "bacd"),
        (
            {"rescorers": ["up"], "blend": {"score_mode": "rrf", "query_weight": 2.0}},
            4,
            "abcd",
        ),
        ({"rescorers": ["odd"], "hard_answers": True}, 4, "bdac"),
        ({"rescorers": ["up", "odd"], "weights": {"up": 0.0, "first_stage": 0.0}}, 4, "bdac"),
        ({"rescorers": ["up", "odd"], "weights": {"odd": 0.0, "first_stage": 0.5}}, 4, "dcba"),
        ({"rescorers": ["up"], "pick": {"rescorer": "odd", "window_size": 4, "keep": 2}}, 1, "dbac"),
        ({"rescorers": ["up"], "pick": {"rescorer": "odd", "window_size": 3, "keep": 2}}, 1, "bacd"),
    ],
)
def test_a_system_orders_by_its_scores(system: dict[str, Any], window_size: int, expected: str) -> None:
    assert ordered(window_size, **system) == expected


def test_a_picker_counts_in_the_order_where_it_has_a_weight() -> None:
    pick = {"rescorer": "odd", "window_size": 4, "keep": 2}
    weights = {"odd": 5.0, "up": 1.0, "first_stage": 0.0}
    assert ordered(4, rescorers=["up"], pick=pick, weights=weights) == "bdac"


class Counting:
    """Scores a text by a function of it, and remembers what it was asked for."""

    def __init__(self, name: str, score: Callable[[str], float | None]) -> None:
        self.revision = self.name = name
        self.info = RescorerInfo(name, reason="made up")
        self.asked: list[str] = []
        self._score = score

    def score(self, request: ScoreRequest) -> list[Scored]:
        self.asked += request.texts
        return [Scored(self._score(text)) for text in request.texts]


def suite(systems: Sequence[dict[str, Any]], **more: object) -> Suite:
    return Suite.model_validate(
        {
            "name": "small",
            "title": "Small",
            "split": "dev",
            "window_size": 3,
            "rescorers": {"last": {"rescorer": "last"}, "first": {"rescorer": "first"}},
            "collections": [
                {"folder": "one", "language": "english"},
                {"folder": "two", "language": "chinese"},
                {"folder": "three", "language": "chinese", "apart": True},
            ],
            "systems": [{"name": "BM25"}, *systems],
            **more,
        }
    )


def candidates(of: Suite) -> list[Candidates]:
    """The same ranking for every collection; b is relevant."""
    return [
        Candidates(collection, "dev", [Qrel("q", "b", 1)], [RANKING], of.window_of(collection), Profile(), 0.0)
        for collection in of.collections
    ]


def scored(of: Suite, *rescorers: Counting) -> AllTables:
    opened: dict[str, Rescorer] = {rescorer.name: rescorer for rescorer in rescorers}

    def open_rescorer(entry: SuiteRescorer, model: str | None) -> Rescorer:
        assert model is None
        return opened[entry.rescorer]

    return score_all(of, candidates(of), open_rescorer, lambda rescorer: rescorer, lambda *_: None)


LAST = {"name": "last", "rescorers": ["last"]}
CASCADE = {"name": "cascade", "rescorers": ["first"], "pick": {"rescorer": "last", "window_size": 4, "keep": 2}}


def last() -> Counting:
    return Counting("last", lambda text: float(ord(text)))


def first() -> Counting:
    return Counting("first", lambda text: -float(ord(text)))


def measured(of: Suite, *rescorers: Counting) -> SuiteResult:
    return measure_suite(of, candidates(of), scored(of, *rescorers))


def test_the_largest_window_is_scored_once_for_all_systems() -> None:
    one, collections = last(), 3
    scored(suite([LAST, {**LAST, "name": "again", "blend": {"score_mode": "rrf"}}], windows=[1, 2]), one)
    assert one.asked == ["a", "b", "c"] * collections


def test_a_cascade_scores_what_was_picked_and_nothing_else() -> None:
    picker, picked, collections = last(), first(), 3
    scored(suite([CASCADE]), picker, picked)
    assert picker.asked == ["a", "b", "c", "d"] * collections
    assert picked.asked == ["c", "d"] * collections


def test_of_what_was_picked_only_the_unseen_is_scored() -> None:
    picked, collections = first(), 3
    scored(suite([CASCADE, {"name": "first", "rescorers": ["first"]}]), last(), picked)
    assert picked.asked == [*["a", "b", "c"] * collections, *["d"] * collections]


def test_a_text_without_a_score_is_an_error() -> None:
    with pytest.raises(RescorerError, match="'last' gave a text of query 'q' no score"):
        scored(suite([LAST]), Counting("last", lambda _: None))


def test_a_suite_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    of = suite([LAST])
    everything = [replace(one, rankings=[replace(RANKING, query=Query("q", one.name))]) for one in candidates(of)]

    class CutOff(Counting):
        def score(self, request: ScoreRequest) -> list[Scored]:
            if self.asked:
                raise KeyboardInterrupt
            return super().score(request)

    def remember(rescorer: Rescorer) -> Rescorer:
        return CachedRescorer(rescorer, open_score_cache(tmp_path / "scores.sqlite", 1))

    def work(rescorer: Counting) -> list[str]:
        score_all(of, everything, lambda *_: rescorer, remember, lambda *_: None)
        return rescorer.asked

    with pytest.raises(KeyboardInterrupt):
        work(CutOff("last", lambda text: float(ord(text))))
    assert work(last()) == ["a", "b", "c"] * 2


def scored_with_files(folder: Path, rescorer: Counting, text: str = "b") -> tuple[list[str], AllTables]:
    hits = [
        replace(hit, document=replace(hit.document, text=text)) if hit.document.doc_id == "b" else hit
        for hit in RANKING.hits
    ]
    of = suite([LAST])
    everything = [replace(one, rankings=[replace(RANKING, hits=tuple(hits))]) for one in candidates(of)]
    tables = score_all(of, everything, lambda *_: rescorer, lambda each: each, lambda *_: None, folder)
    return rescorer.asked, tables


def test_what_stands_in_score_files_is_not_asked_again(tmp_path: Path) -> None:
    asked, tables = scored_with_files(tmp_path, last())
    assert len(asked) == 9
    assert len(list(tmp_path.glob("*.last.jsonl"))) == 3
    again, same = scored_with_files(tmp_path, last())
    assert again == []
    assert {name: each["last"].scores for name, each in same.items()} == {
        name: each["last"].scores for name, each in tables.items()
    }


def test_scores_of_other_texts_are_asked_again(tmp_path: Path) -> None:
    scored_with_files(tmp_path, last())
    asked, tables = scored_with_files(tmp_path, last(), text="z")
    assert asked == ["a", "z", "c"] * 3
    assert {each["last"].scores["q", "b"] for each in tables.values()} == {float(ord("z"))}
    assert scored_with_files(tmp_path, last(), text="z")[0] == []


def test_a_score_file_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    scored_with_files(tmp_path, last())
    file = min(tmp_path.glob("*.jsonl"))
    whole = file.read_text()
    file.write_text(whole[:-5])
    assert scored_with_files(tmp_path, last())[0] == ["a", "b", "c"]
    assert file.read_text() == whole


def test_score_files_of_another_revision_are_refused(tmp_path: Path) -> None:
    scored_with_files(tmp_path, last())
    with pytest.raises(InputError, match=r"holds the scores of revision 'last', and the rescorer is 'first' now"):
        scored_with_files(tmp_path, first())


def test_score_files_that_are_none_are_told(tmp_path: Path) -> None:
    scored_with_files(tmp_path, last())
    min(tmp_path.glob("*.jsonl")).write_text("scores\n")
    with pytest.raises(InputError, match=r"last\.jsonl holds no scores that can be read"):
        scored_with_files(tmp_path, last())


def test_time_is_taken_past_what_was_remembered() -> None:
    one = last()
    result = measured(suite([LAST], timed_queries=1), one)
    assert one.asked == ["a", "b", "c"] * 6
    assert all((entry.ms_a_query is None) == (entry.system.name == "BM25") for entry in result.results)


def test_a_sweep_measures_smaller_windows_with_the_same_scores() -> None:
    result = measured(suite([LAST], windows=[1, 2, 99]), last())
    (of_one, *_) = result.of("last")
    assert [round(value, 2) for value in of_one.sweep.values()] == [0.63, 1.0, 0.63]
    assert list(of_one.sweep) == [1, 2, 3]
    assert result.of("BM25")[0].sweep == {}


def test_every_run_is_what_evaluate_prints_and_more() -> None:
    answer = to_json(measured(suite([LAST], rival="BM25"), last()))
    runs = answer["runs"]
    assert isinstance(runs, list)
    assert len(runs) == 6
    before, after = runs[:2]
    assert (before["system"], before["second_stage"], before["comparison"]) == ("BM25", None, None)
    assert (after["system"], after["collection"], after["split"]) == ("last", "one", "dev")
    assert after["second_stage"]["mrr@10"] == before["first_stage"]["mrr@10"] == 0.5
    assert after["comparison"] == after["against_rival"]
    assert (after["queries"], after["window_size"], after["model"], after["harm"]) == (1, 3, "last", False)


def test_means_are_by_language_and_leave_out_what_stands_apart() -> None:
    result = measured(suite([LAST]), last())
    assert list(means(result)) == ["english", "chinese", "all"]
    apart = result.results[-1]
    better = {"q": {"ndcg@10": 1.0, "mrr@10": 1.0, "recall@100": 1.0}}
    best = replace(apart, evaluation=replace(apart.evaluation, second_stage=better))
    changed = replace(result, results=[*result.results[:-1], best])
    assert means(changed)["all"] == means(result)["all"]


def test_p_values_are_corrected_over_the_counted_collections_and_apart_over_the_others() -> None:
    p_values = {("last", "one"): 0.01, ("last", "two"): 0.03, ("last", "three"): 0.03}
    assert corrected(suite([LAST]), p_values) == {
        ("last", "one"): 0.02,
        ("last", "two"): 0.03,
        ("last", "three"): 0.03,
    }


@pytest.mark.parametrize(("delta", "p_value", "harm"), [(-0.1, 0.04, True), (-0.1, 0.06, False), (0.1, 0.001, False)])
def test_harm_is_a_significant_loss(delta: float, p_value: float, harm: bool) -> None:  # noqa: FBT001
    assert does_harm(RunComparison(0, 0, 1, delta, p_value, (delta, delta))) == harm


def test_the_best_blend_comes_first_with_the_sets_it_loses() -> None:
    of = suite([LAST])
    tried, before = choose_blend(of, of.system("last"), candidates(of), scored(of, last()))
    assert before == {"one": pytest.approx(0.63, abs=0.01)} | dict.fromkeys(["two", "three"], before["one"])
    assert [one.ndcg for one in tried] == sorted((one.ndcg for one in tried), reverse=True)
    worst = tried[-1]
    assert set(worst.losses) == {name for name, value in worst.by_collection.items() if value < before[name]}


def test_blends_are_never_chosen_on_test() -> None:
    of = suite([LAST], split="test")
    with pytest.raises(ConfigError, match="chosen on the split 'dev' only, never on what is reported: one \\(test\\)"):
        choose_blend(of, of.system("last"), candidates(of), {})


def test_of_the_first_stage_alone_there_is_no_blend() -> None:
    with pytest.raises(ConfigError, match="'BM25' is the first stage alone"):
        variants(System(name="BM25"))


def test_sums_are_tried_with_every_weight_but_the_first_ones() -> None:
    tried = variants(System(name="sum", rescorers=["last", "first"]))
    assert {one.weights["last"] for one in tried} == {1.0}
    assert {one.weights["first_stage"] for one in tried} > {0.0, 1.0}
    assert {one.normalize for one in tried} == {"zscore", "minmax"}
