"""Numbers that every client reads as we meant them, and that keep the order they are given in.

OpenSearch's ml-commons casts a JSON number to Double: one without a point is an Integer to its parser and one of more
than 18 characters a BigDecimal, and the cast fails with the search. Then it narrows to 32 bits, where close numbers
become ties. So numbers are written with a point, in at most 18 characters, and fall strictly as 32-bit floats too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_DIGITS, _DIGITS_BELOW_ZERO = 12, 11
"""As many significant digits as 18 characters hold, whatever the exponent; a minus is a character too."""

_MOST = 1e14
"""Numbers beyond it would have too many characters; no log-odds come near."""

_STEP, _LEAST_STEP = 2.0**-22, 1e-37
"""What a number is lowered by, relative to it: seen in 32 bits, and nowhere else."""


def falling(values: Iterable[float]) -> list[float]:
    """Return numbers that fall strictly along the list, each as near to its value as that allows.

    Args:
        values: Finite; where one is not below the number before it, it is lowered to just below that.

    Example:
        >>> falling([1.0, 0.99999999, 0.5, 0.5, 1e-12])
        [1.0, 0.999999761581, 0.5, 0.499999880791, 1.00000000001e-12]
    """
    numbers: list[float] = []
    for value in values:
        number = plain(value)
        if numbers and _narrow(number) >= _narrow(numbers[-1]):
            number = _with_point(numbers[-1] - max(abs(numbers[-1]) * _STEP, _LEAST_STEP))
        numbers.append(number)
    return numbers


def plain(value: float) -> float:
    """Return the number next to `value` that JSON writes with a point and in at most 18 characters.

    Example:
        >>> plain(0.12345678901234567), plain(1e-12), plain(3)
        (0.123456789012, 1.00000000001e-12, 3.0)
    """
    return 0.0 if abs(value) < _LEAST_STEP else _with_point(max(-_MOST, min(_MOST, value)))


def _with_point(value: float) -> float:
    digits = _DIGITS_BELOW_ZERO if value < 0 else _DIGITS
    number = float(f"{value:.{digits}g}")
    if "." in repr(number):
        return number
    return float(f"{number * (1 + 10.0 ** (1 - digits)):.{digits}g}")


def _narrow(number: float) -> float:
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    return narrow
