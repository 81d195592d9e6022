from __future__ import annotations

import numpy as np
import pytest

from prorank_search.errors import InputError
from prorank_training.calibration import fit_calibration


def test_what_probabilities_were_made_with_is_found_again() -> None:
    numbers = np.random.default_rng(3)
    scores = numbers.normal(0.0, 3.0, 40_000)
    relevant = numbers.random(40_000) < 1 / (1 + np.exp(-(0.7 * scores - 2.0)))
    fitted = fit_calibration(scores.tolist(), relevant.tolist())
    assert fitted.a == pytest.approx(0.7, abs=0.03)
    assert fitted.b == pytest.approx(-2.0, abs=0.05)


def test_the_mean_probability_is_the_share_of_relevant_texts() -> None:
    scores, relevant = [-40.0, -1.0, 0.5, 2.0, 3.0, 60.0], [False, False, True, False, True, True]
    fitted = fit_calibration(scores, relevant)
    probabilities = 1 / (1 + np.exp(-(fitted.a * np.asarray(scores) + fitted.b)))
    assert probabilities.mean() == pytest.approx(0.5, abs=1e-5)


def test_scores_that_separate_without_an_error_give_a_finite_fit() -> None:
    fitted = fit_calibration([-2.0, -1.0, 1.0, 2.0], [False, False, True, True])
    assert np.isfinite([fitted.a, fitted.b]).all()
    assert fitted.a > 1.0


@pytest.mark.parametrize("relevant", [[], [True, True], [False, False]])
def test_one_kind_of_texts_alone_is_refused(relevant: list[bool]) -> None:
    with pytest.raises(InputError, match="needs both kinds"):
        fit_calibration([1.0, 2.0][: len(relevant)], relevant)
