"""Rows of unlike lengths into batches: sorted by length, bounded by a budget of tokens with padding counted in."""

from __future__ import annotations

from collections.abc import Sequence


def batches(lengths: Sequence[int], tokens_a_batch: int) -> list[list[int]]:
    """Put rows into batches.

    Args:
        lengths: Tokens of each row.
        tokens_a_batch: Most tokens of a batch, padding included; a row that is longer stands alone.

    Returns:
        Positions of the rows in each batch, longest rows first, each position once. Equal lengths keep their order.

    Example:
        >>> batches([3, 9, 4], 10)
        [[1], [2, 0]]
    """
    together: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        width = lengths[together[-1][0]] if together else 0
        if together and (len(together[-1]) + 1) * width <= tokens_a_batch:
            together[-1].append(position)
        else:
            together.append([position])
    return together
