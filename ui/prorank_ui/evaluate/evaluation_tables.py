"""What an evaluation found, as tables: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from prorank_search.evaluation.comparison import SIGNIFICANT
from prorank_search.evaluation.measures import EVERY
from prorank_ui.drawing import plain_table
from prorank_ui.drawing.wording import duration
from prorank_ui.evaluate.slices import slices
from prorank_ui.evaluate.standings import Change, Measured, Standing

LEGEND = f"* p < {SIGNIFICANT}: paired permutation test, Holm-corrected over the systems of this table"
_LEAST_P = 0.001


def standings_table(rows: Sequence[Standing], systems: Sequence[Measured], measure: str) -> str:
    """Return the systems, each with its mean, and how it compares with the baseline.

    Args:
        rows: How they stand.
        systems: What was measured of them.
        measure: By which measure.
    """
    headings = ["system", measure, "difference", "95 % interval", "p (Holm)", "better", "equal", "worse", "rescoring"]
    took = {system.name: system.ms_a_query for system in systems}
    cells = [[*_standing(row), _a_query(took[row.name])] for row in rows]
    return _framed(plain_table.drawn("Systems", headings, cells, headings[1:]))


def verdict(rows: Sequence[Standing], measure: str, baseline: str) -> str:
    """Return in a sentence which system is best, and whether its distance to the baseline is more than chance.

    Args:
        rows: How the systems stand.
        measure: By which measure.
        baseline: Name of the system that the others are compared with.
    """
    others = [row for row in rows if row.comparison is not None and row.p_holm is not None]
    if not others:
        return ""
    best = max(others, key=lambda row: row.mean)
    delta = round(best.comparison.delta if best.comparison else 0.0, 3)
    if not delta:
        return f"{best.name} and {baseline} are equal in {measure}."
    sure = best.p_holm is not None and best.p_holm < SIGNIFICANT
    told = "more than chance" if sure else "these queries do not show that this is more than chance"
    way = "better" if delta > 0 else "worse"
    return f"{best.name} is {way} than {baseline} by {abs(delta):.3f} in {measure}: {told}."


def every_measure(systems: Sequence[Measured]) -> str:
    """Return the means of every system."""
    rows = [
        [system.name, *(f"{fmean(row[name] for row in system.values.values()):.3f}" for name in EVERY)]
        for system in systems
    ]
    return _framed(plain_table.drawn("Every measure", ["system", *EVERY], rows, EVERY))


def slices_table(queries: Mapping[str, str], changes: Sequence[Change], by: str) -> str:
    """Return how two systems compare in each slice of the queries.

    Args:
        queries: Texts by `query_id`.
        changes: Each query under both.
        by: A key of `slices.SLICES`.
    """
    of_query = {change.query_id: change for change in changes}
    rows = [
        [name, f"{len(ids):,}", *_slice([of_query[query_id] for query_id in ids])]
        for name, ids in slices(queries, by).items()
    ]
    headings = [by, "queries", "before", "after", "difference", "better", "worse"]
    return _framed(plain_table.drawn("Slices", headings, rows, headings[1:]))


def _framed(drawn: str) -> str:
    return f'<div class="ch-table">{drawn}</div>'


def signed(value: float) -> str:
    """Return a difference with its sign.

    Example:
        >>> signed(0.0345)
        '+0.035'
    """
    return f"{value:+.3f}".replace("-", "\u2212")


def p_value(p: float) -> str:
    """Return a p-value as a table shows it.

    Example:
        >>> p_value(0.0001), p_value(0.25)
        ('< 0.001', '0.250')
    """
    return f"< {_LEAST_P}" if p < _LEAST_P else f"{p:.3f}"


def _standing(row: Standing) -> list[str]:
    one = row.comparison
    if one is None or row.p_holm is None:
        return [row.name, f"{row.mean:.3f}", *[""] * 6]
    low, high = one.ci95
    sure = " *" if row.p_holm < SIGNIFICANT else ""
    figures = [f"{signed(one.delta)}{sure}", f"{signed(low)} to {signed(high)}", p_value(row.p_holm)]
    return [row.name, f"{row.mean:.3f}", *figures, f"{one.wins:,}", f"{one.ties:,}", f"{one.losses:,}"]


def _a_query(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{duration(milliseconds)} a query"


def _slice(group: Sequence[Change]) -> list[str]:
    before, after = fmean(one.before for one in group), fmean(one.after for one in group)
    better, worse = (sum(one.kind == kind for one in group) for kind in ("better", "worse"))
    return [f"{before:.3f}", f"{after:.3f}", signed(after - before), f"{better:,}", f"{worse:,}"]
