"""JSON Lines: one JSON object a line, in UTF-8."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Never

from prorank_ingest.records import Names, RecordError, to_document
from prorank_search.protocols import BadRecord
from prorank_search.types import Document

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json_lines(lines: Iterable[bytes], source: str, names: Names, start: int) -> Iterator[Document | BadRecord]:
    """Yield a document or a bad record for each line that is not blank, leaving out the first `start` of them."""
    position = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        position += 1
        if position > start:
            yield _record(line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line, source, number, names)


def _record(line: bytes, source: str, number: int, names: Names) -> Document | BadRecord:
    try:
        return to_document(_parse(line), names)
    except RecordError as error:
        raw = line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        return BadRecord(source, number, str(error), raw)


def _parse(line: bytes) -> dict[str, object]:
    try:
        record = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise RecordError("not a JSON object")
    return record


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON number")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"the number {number} is too large")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
