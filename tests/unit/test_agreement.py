from __future__ import annotations

import pytest

from prorank_search.evaluation.agreement import Level, agreement, krippendorff_alpha
from prorank_search.judgments import Judgment

KRIPPENDORFF_2011 = [
    [1, 1, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [5, 5, 5],
    [1, 1],
    [3],
]
"""The example of "Computing Krippendorff's Alpha-Reliability": four observers, twelve units, values missing."""


@pytest.mark.parametrize(("level", "alpha"), [("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_published_example(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF_2011, level) == pytest.approx(alpha, abs=0.0005)


def test_alpha_does_not_look_at_the_order_of_judges_and_documents() -> None:
    turned = [list(reversed(unit)) for unit in reversed(KRIPPENDORFF_2011)]
    assert krippendorff_alpha(turned) == pytest.approx(krippendorff_alpha(KRIPPENDORFF_2011))


@pytest.mark.parametrize("units", [[], [[1], [3]], [[2, 2], [2, 2, 2]]])
def test_there_is_no_alpha_without_two_judges_or_with_one_grade_for_all(units: list[list[int]]) -> None:
    assert krippendorff_alpha(units) is None


def test_agreement_is_among_persons_and_names_what_they_dispute() -> None:
    said = [
        Judgment("set", "q1", "d1", "ada", 3),
        Judgment("set", "q1", "d1", "bo", 0),
        Judgment("set", "q1", "d1", "prorank", 2, origin="model"),
        Judgment("set", "q1", "d2", "ada", 1),
        Judgment("set", "q1", "d2", "bo", 2),
        Judgment("set", "q2", "d1", "ada", 0),
        Judgment("set", "q2", "d1", "bo", None),
    ]
    found = agreement(said)
    assert found.judges == {"ada": 3, "bo": 2}
    assert found.shared == 2
    assert [(one.query_id, one.doc_id, one.spread) for one in found.disputed] == [("q1", "d1", 3), ("q1", "d2", 1)]
    assert found.disputed[0].grades == {"ada": 3, "bo": 0}
    assert found.alpha == pytest.approx(krippendorff_alpha([[3, 0], [1, 2]]))
