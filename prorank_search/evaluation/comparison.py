"""Whether one run is better than another: wins and losses, a paired permutation test, a bootstrap interval.

Follows Smucker, Allan and Carterette, "A comparison of statistical significance tests for information retrieval
evaluation" (CIKM 2007): the permutation test asks how often a difference this large comes from swapping the two runs'
values within queries at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING

from prorank_search.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNIFICANT = 0.05
"""Below this p-value a difference is called one that chance hardly explains."""

RESAMPLES = 10_000
"""Random swaps of the test (where fewer exist, each is tried once) and resamples of the interval."""

_TIE = 1e-9
_VALUES_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A run `after` against a run `before`, query by query.

    Attributes:
        wins: Queries where `after` is better.
        ties: Queries where both are equal.
        losses: Queries where `after` is worse.
        delta: Mean of after - before.
        p_value: Two-sided, of the paired permutation test; small means that chance does not explain delta.
        ci95: 95% interval of delta (bootstrap over queries).
    """

    wins: int
    ties: int
    losses: int
    delta: float
    p_value: float
    ci95: tuple[float, float]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {**asdict(self), "ci95": list(self.ci95)}


def compare_runs(before: Mapping[str, float], after: Mapping[str, float], seed: int = 0) -> RunComparison:
    """Compare two runs by one measure's values of each query.

    Args:
        before: `query_id` to value.
        after: The same queries.
        seed: Of the random swaps and resamples; the same seed gives the same answer.

    Raises:
        InputError: The two have different queries, or none.

    Example:
        >>> both = compare_runs({"a": 0.5, "b": 0.0, "c": 1.0}, {"a": 1.0, "b": 0.0, "c": 0.75})
        >>> (both.wins, both.ties, both.losses, round(both.delta, 3), both.p_value)
        (1, 1, 1, 0.083, 1.0)
    """
    if not before or before.keys() != after.keys():
        raise InputError(f"two runs are compared over the same queries; got {len(before)} and {len(after)}")
    differences = [after[query_id] - before[query_id] for query_id in before]
    wins = sum(difference > _TIE for difference in differences)
    losses = sum(difference < -_TIE for difference in differences)
    return RunComparison(
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
        delta=fmean(differences),
        p_value=_p_value(differences, seed),
        ci95=_interval(differences, seed),
    )


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Correct the p-values of several comparisons, so that the chance of any false find stays below the level.

    Holm's step-down method (Scandinavian Journal of Statistics, 1979).

    Example:
        >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
        {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    corrected: dict[str, float] = {}
    highest = 0.0
    for position, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, (len(p_values) - position) * p_values[name]))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def _p_value(differences: Sequence[float], seed: int) -> float:
    """Return how often random swaps (all of them where they are few) give a sum as far from 0 as the true one."""
    import numpy as np

    values = np.asarray([difference for difference in differences if abs(difference) > _TIE])  # a tie has no sign
    if not len(values) or len(differences) == 1:
        return 1.0
    total = values.sum()
    extreme = sum(
        int((abs(total - 2 * (swapped @ values)) >= abs(total) - _TIE).sum()) for swapped in _swaps(len(values), seed)
    )
    return extreme / 2 ** len(values) if _are_few(len(values)) else (extreme + 1) / (RESAMPLES + 1)


def _are_few(differences: int) -> bool:
    return 1 << differences <= RESAMPLES


def _swaps(differences: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield rows of 0 and 1 (this query's two values change places): every row there is, or so many random ones."""
    import numpy as np

    if _are_few(differences):
        yield np.array(list(product((0.0, 1.0), repeat=differences)))
        return
    random = np.random.default_rng(seed)
    for rows in _batches(differences):
        bits = np.frombuffer(random.bytes(rows * -(-differences // 8)), dtype=np.uint8).reshape(rows, -1)
        yield np.unpackbits(bits, axis=1, count=differences).astype(np.float64)


def _interval(differences: Sequence[float], seed: int) -> tuple[float, float]:
    """Return the middle 95% of the means of random resamples."""
    import numpy as np

    values = np.asarray(differences)
    random = np.random.default_rng(seed)
    means = [
        values[random.integers(0, len(values), (rows, len(values)))].mean(axis=1) for rows in _batches(len(values))
    ]
    low, high = np.percentile(np.concatenate(means), (2.5, 97.5))
    return float(low), float(high)


def _batches(differences: int) -> Iterator[int]:
    """Yield how many resamples are drawn at once, so that memory stays flat."""
    at_once = max(1, _VALUES_AT_ONCE // differences)
    for start in range(0, RESAMPLES, at_once):
        yield min(at_once, RESAMPLES - start)
