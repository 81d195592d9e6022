"""A value in a query body, and the path that leads to it: what a refusal names."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

from prorank_search.encodable import encodable
from prorank_search.errors import InputError

_SHOWN = 60
"""Characters of a key that a message shows."""
_KINDS = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a body. What cannot be used raises InputError with the path; values never stand in a message.

    Attributes:
        value: As JSON has it.
        path: Keys and positions from the top: "query.bool.must[0]"; empty: the body itself.
    """

    value: object
    path: str = ""

    def refuse(self, why: str) -> NoReturn:
        """Raise InputError with the path and what is wrong there."""
        raise InputError(f"{self.path or 'the body'}: {why}")

    def under(self, key: str, value: object) -> Node:
        """Return what stands under a key of this node."""
        shown = key if len(key) <= _SHOWN else f"{key[:_SHOWN]}..."
        return Node(value, f"{self.path}.{shown}" if self.path else shown)

    def table(self) -> dict[str, Node]:
        """Return the node's keys with what stands under each."""
        if not isinstance(self.value, dict):
            self.refuse(f"it has to be a table, not {self._kind()}")
        return {encodable(key): self.under(encodable(key), value) for key, value in self.value.items()}

    def options(self, known: Collection[str]) -> dict[str, Node]:
        """Return the node's keys, each of which has to be a known one."""
        table = self.table()
        for key, node in table.items():
            if key not in known:
                node.refuse(f"the embedded index does not answer it; {nearest(key, known)}")
        return table

    def only(self) -> tuple[str, Node]:
        """Return the one key of a table that has to have one, and what stands under it."""
        table = self.table()
        if len(table) != 1:
            self.refuse(f"it has to have one key, not {len(table)}")
        return next(iter(table.items()))

    def members(self) -> list[Node]:
        """Return the members of a list."""
        if not isinstance(self.value, list):
            self.refuse(f"it has to be a list, not {self._kind()}")
        return [Node(value, f"{self.path}[{at}]") for at, value in enumerate(self.value)]

    def one_or_more(self) -> list[Node]:
        """Return the members of a list, or what stands here alone."""
        return self.members() if isinstance(self.value, list) else [self]

    def text(self) -> str:
        """Return a text; what UTF-8 cannot express is replaced."""
        if not isinstance(self.value, str):
            self.refuse(f"it has to be a text, not {self._kind()}")
        return encodable(self.value)

    def choice(self, known: Collection[str]) -> str:
        """Return a text that has to be one of the known ones."""
        text = self.text()
        if text not in known:
            self.refuse(f"the embedded index does not know this value; known are {', '.join(known)}")
        return text

    def number(self, least: float = -math.inf) -> float:
        """Return a finite number, also one that is written as a text, as the engines take it."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            self.refuse(f"it has to be a number, not {self._kind()}")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            self.refuse("it has to be a number")
        if not math.isfinite(number) or number < least:
            self.refuse(f"it has to be a number{'' if least == -math.inf else f' from {least:g} up'}")
        return number

    def whole(self, least: int = 0) -> int:
        """Return a whole number."""
        number = self.number(least)
        if number != int(number):
            self.refuse("it has to be a whole number")
        return int(number)

    def flag(self) -> bool:
        """Return true or false, also one that is written as a text."""
        if self.value in ("true", "false"):
            return self.value == "true"
        if not isinstance(self.value, bool):
            self.refuse(f"it has to be true or false, not {self._kind()}")
        return self.value

    def scalar(self) -> str | int | float | bool:
        """Return a text, a number, true or false."""
        value = self.value
        if not isinstance(value, str | bool | int | float):
            self.refuse(f"it has to be a single value, not {self._kind()}")
        return encodable(value) if isinstance(value, str) else value

    def _kind(self) -> str:
        return "null" if self.value is None else _KINDS.get(type(self.value), "something else")


def nearest(name: str, known: Collection[str]) -> str:
    """Return advice for a name that is not known.

    Example:
        >>> nearest("mach", ["match", "term"])
        "did you mean 'match'? (known are match, term)"
    """
    near = difflib.get_close_matches(name[:_SHOWN], known, n=1, cutoff=0.5)
    all_known = f"known are {', '.join(known)}"
    return f"did you mean {near[0]!r}? ({all_known})" if near else all_known
