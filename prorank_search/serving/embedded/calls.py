"""A request to one of the read endpoints, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import parse_qsl

from prorank_search.errors import InputError
from prorank_search.query_dsl import nearest
from prorank_search.serving import json_steps

EVERYWHERE = ("pretty", "human", "error_trace", "filter_path", "format", "timeout", "master_timeout", "local")
"""Parameters that every endpoint takes; without effect are all but `filter_path`, `pretty` and, of `_cat`, `format`."""
CHOOSING_INDEXES = ("ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled")
OF_SHARDS = ("preference", "routing", "realtime", "refresh")
"""Parameters about which copies of an index answer: there is one."""


class BadParameterError(InputError):
    """A request that cannot be understood for another reason than its query."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        path: As it was asked for.
        index: Name or pattern from the path; None: all.
        doc_id: From the path.
        params: The query string.
        body: As it came.
    """

    path: str
    index: str | None
    doc_id: str
    params: Mapping[str, str]
    body: bytes

    def check_params(self, *known: str) -> None:
        """Refuse parameters other than those and the ones that every endpoint takes.

        Raises:
            BadParameterError: It has another one.
        """
        allowed = (*known, *EVERYWHERE)
        for name in self.params:
            if name not in allowed:
                raise BadParameterError(
                    f"request has an unrecognized parameter [{name[:60]}]; {nearest(name, allowed)}"
                )

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is set and not false."""
        return self.params.get(name, "false") != "false"

    def names(self, name: str) -> tuple[str, ...]:
        """Return the parts of a parameter that are separated by commas."""
        return tuple(part for part in self.params.get(name, "").split(",") if part)

    def json(self) -> object:
        """Return the body; None where there is none.

        Raises:
            InputError: It is not JSON.
        """
        return read_json(self.body) if self.body.strip() else None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON, or a table as plain text."""

    body: object
    status: int = 200


def params_of(query: str) -> dict[str, str]:
    """Read a query string."""
    return dict(parse_qsl(query, keep_blank_values=True))


def read_json(body: bytes) -> object:
    """Read JSON, strictly.

    Raises:
        InputError: It is not JSON, in UTF-8.

    Example:
        >>> read_json(b'{"size": NaN}')
        Traceback (most recent call last):
        prorank_search.errors.InputError: the body is not JSON: NaN is not a JSON number
    """
    try:
        read: object = json_steps.loads(body.decode("utf-8"), _STRICT)
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8, from byte {error.start} on") from error
    except json.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError("the body cannot be read: it is nested too deeply, or a number is too long") from error
    return read


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"the body is not JSON: {name} is not a JSON number")


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)


def check_keys(given: Mapping[str, object], known: Collection[str], place: str) -> None:
    """Refuse an unknown key of a table.

    Raises:
        InputError: With the place and the nearest known key.
    """
    for key in given:
        if key not in known:
            raise InputError(f"{place}.{key[:60]}: the embedded index does not answer it; {nearest(key, known)}")
