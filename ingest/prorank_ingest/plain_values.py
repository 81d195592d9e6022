"""Values of columns as JSON has them: what databases and Parquet files hold beyond text and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal


def plain_row(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row whose values are JSON; what is nothing or bytes becomes None, which no document holds.

    Example:
        >>> plain_row({"id": Decimal(7), "day": date(2020, 1, 2), "price": Decimal("1.50"), "photo": b"PNG"})
        {'id': 7, 'day': '2020-01-02', 'price': '1.50', 'photo': None}
    """
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return None
    if isinstance(value, Mapping):
        return plain_row(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _written(value)


def _written(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)
