from __future__ import annotations

import json
import struct
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from prorank_search.serving.numbers import falling, plain

PROBABILITIES = st.floats(0.0, 1.0).map(lambda value: max(value, 1e-30))
LOG_ODDS = st.floats(allow_nan=False, allow_infinity=False)
SATURATED = st.sampled_from([1.0, 0.99999999, 0.999999999999, 0.5, 1e-12, 1e-30])


def as_java_float(number: float) -> float:
    narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    return narrow


@given(st.lists(st.one_of(PROBABILITIES, SATURATED, LOG_ODDS), max_size=60))
@example([5e-324])
def test_numbers_are_written_with_a_point_in_18_characters(values: list[float]) -> None:
    written = [json.dumps(number, allow_nan=False) for number in falling(values)]
    assert [number for number in written if "." not in number or len(number) > 18] == []


@given(st.lists(st.one_of(PROBABILITIES, SATURATED, LOG_ODDS), max_size=60))
def test_numbers_fall_strictly_after_a_cast_to_float32(values: list[float]) -> None:
    narrow = [as_java_float(number) for number in falling(sorted(values, reverse=True))]
    assert all(before > after for before, after in pairwise(narrow))


def test_a_thousand_ties_stay_close_to_their_value_and_above_zero() -> None:
    assert min(falling([1.0] * 1000)) > 0.999
    assert min(falling([1e-30] * 1000)) > 0.0


def test_numbers_far_apart_are_what_they_were_but_for_digits_that_do_not_fit() -> None:
    values = [0.98765432109876543, 0.5, 0.00012345678901234567, 3e-20]
    assert falling(values) == [0.987654321099, 0.5, 0.000123456789012, 3.00000000003e-20]


def test_an_integer_gets_a_point() -> None:
    assert [json.dumps(plain(value)) for value in (1, 0, -3)] == ["1.0", "0.0", "-3.0"]
