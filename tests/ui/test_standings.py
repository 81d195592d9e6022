"""What the page Evaluate makes of results: pure parts."""

from __future__ import annotations

import pytest

from prorank_search.errors import InputError
from prorank_search.profiles import Profile
from prorank_search.settings import Settings
from prorank_search.types import Blend
from prorank_ui.choices import Side
from prorank_ui.evaluate import quality_cost
from prorank_ui.evaluate.change_list import drawn
from prorank_ui.evaluate.evaluating import EvaluationWish, Source, sources, suite_of
from prorank_ui.evaluate.evaluation_tables import slices_table, standings_table, verdict
from prorank_ui.evaluate.slices import slices
from prorank_ui.evaluate.standings import Change, EvaluationRun, Measured, changes, standings, together

OVERLAP = Side("overlap", window="20")


def system(name: str, *values: float, side: Side = OVERLAP) -> Measured:
    return Measured(
        name, side, {str(query): {"ndcg@10": value} for query, value in enumerate(values)}, {5: 0.4, 20: 0.5}, 10.0
    )


def run(started: str, *systems: Measured, texts: str = "abc", job_id: str = "") -> EvaluationRun:
    queries = {str(query): text for query, text in enumerate(texts)}
    return EvaluationRun(job_id or started, "title", started, "animals", "zoo", queries, {}, systems, [])


def test_runs_side_by_side_are_told_apart_and_cut_to_the_queries_they_share() -> None:
    queries, systems = together(
        [
            run("1", system("A", 0.1, 0.2, 0.3)),
            run("2", system("A", 0.4, 0.5, 0.6), system("B", 0.7, 0.8, 0.9), texts="axc"),
        ]
    )
    assert queries == {"0": "a", "2": "c"}
    assert [one.name for one in systems] == ["A (1)", "A (2)", "B"]
    assert [list(one.values) for one in systems] == [["0", "2"]] * 3


def test_runs_of_one_minute_are_told_apart() -> None:
    _, systems = together([run("1", system("A", *[0.1] * 3), job_id=job_id) for job_id in ("b", "a")])
    assert [one.name for one in systems] == ["A (1 no. 2)", "A (1)"]
    assert len(standings(systems, "ndcg@10", "A (1)")) == 2


def test_runs_without_a_common_query_are_refused() -> None:
    with pytest.raises(InputError, match="no query in common"):
        together([run("1", system("A", 0.1)), run("2", system("A", 0.1), texts="x")])


def test_p_values_are_corrected_over_the_table() -> None:
    rising = [system(name, *([0.1] * 12)) for name in "A"] + [system(name, *([0.5] * 12)) for name in "BC"]
    base, *others = standings(rising, "ndcg@10", "A")
    assert base.comparison is None
    for row in others:
        assert row.comparison is not None
        assert row.p_holm == pytest.approx(2 * row.comparison.p_value)
    assert " *<" in standings_table([base, *others], rising, "ndcg@10")


def test_a_sentence_says_which_system_is_better_and_whether_that_is_more_than_chance() -> None:
    base, better, hardly = system("BM25", *[0.2] * 20), system("a", *[0.5] * 20), system("b", 0.1, *[0.2] * 19)

    def told(*systems: Measured) -> str:
        return verdict(standings([base, *systems], "ndcg@10", "BM25"), "ndcg@10", "BM25")

    assert told(better, hardly) == "a is better than BM25 by 0.300 in ndcg@10: more than chance."
    assert told(hardly).startswith("b is worse than BM25 by 0.005 in ndcg@10: these queries do not show")
    assert told(system("same", *[0.2] * 20)) == "same and BM25 are equal in ndcg@10."
    assert told() == ""


def test_the_largest_change_stands_first() -> None:
    before, after = system("A", 0.5, 0.5, 0.5), system("B", 0.6, 0.5, 0.1)
    found = changes({"0": "a", "1": "b", "2": "c"}, "ndcg@10", before, after)
    assert [(one.query_id, one.kind) for one in found] == [("2", "worse"), ("0", "better"), ("1", "equal")]


def test_names_and_queries_of_the_list_are_escaped() -> None:
    html = drawn([Change("1", "<script>&\ud800", 0.0, 1.0)], '"animals"', Side(), OVERLAP)
    assert "&lt;script&gt;&amp;" in html
    assert "<script>" not in html
    assert 'href="./?q=%3Cscript%3E%26%3F&amp;index=%22animals%22&amp;left=bm25' in html


def test_queries_are_sliced_by_language_and_length() -> None:
    queries = {"1": "dog", "2": "лай", "3": "why do dogs bark", "4": "狗为什么叫"}
    assert slices(queries, "language") == {"Latin": ["1", "3"], "Cyrillic": ["2"], "Chinese": ["4"]}
    assert slices(queries, "length") == {"1–2 words": ["1", "2"], "3–4 words": ["3", "4"]}
    table = slices_table({"1": "dog"}, [Change("1", "dog", 0.25, 0.5)], "length")
    assert "+0.250" in table


def test_the_picture_starts_at_the_first_stage_and_is_drawn_over_time_where_that_was_taken() -> None:
    axis, rows = quality_cost.points([system("A", 0.1)], first_stage=0.3)
    assert axis == quality_cost.TIME
    assert [(row[quality_cost.HITS], row[quality_cost.TIME], row["nDCG@10"]) for row in rows] == [
        (0, 0.0, 0.3),
        (5, 2.5, 0.4),
        (20, 10.0, 0.5),
    ]
    assert quality_cost.chart(axis, rows).to_dict()["mark"]["type"] == "line"


def test_a_suite_names_what_the_settings_and_the_profile_say() -> None:
    wish = EvaluationWish(
        Source("zoo", "animals"), "test", "animals", [Side(), Side("prorank", window="50"), Side("overlap")]
    )
    profile = Profile(blend=Blend("rrf"), instruction="Answers only")
    suite, sides = suite_of(wish, Settings(model="my-model"), profile)
    assert [one.window_size for one in suite.systems] == [None, 50, 30]
    assert [one.blend for one in suite.systems] == [None, Blend("rrf"), Blend("rrf")]
    assert {entry.model for entry in suite.rescorers.values()} == {"my-model"}
    assert {entry.instruction for entry in suite.rescorers.values()} == {"Answers only"}
    assert sides == {
        "BM25": Side(),
        "prorank, 50 hits, “Answers only”": Side("prorank", "my-model", "50", "rrf:none:1:1", "Answers only"),
        "overlap, 30 hits, “Answers only”": Side("overlap", "", "30", "rrf:none:1:1", "Answers only"),
    }
    assert (suite.collections[0].query_set, suite.collections[0].folder) == ("zoo", None)


def test_only_folders_of_the_home_are_offered(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "collections" / "birds" / "qrels").mkdir(parents=True)
    (home / "collections" / "birds" / "qrels" / "dev.tsv").write_text("1\td\t1\n")
    (home / "collections" / "empty" / "qrels").mkdir(parents=True)
    assert sources([], home) == [Source("birds", splits=("dev",))]
