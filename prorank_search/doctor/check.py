"""What a check is and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from prorank_search.settings import Settings

State = Literal["ok", "warn", "fail", "skipped"]


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        state: `fail`: it does not work; `warn`: it works, with something to know; `skipped`: it was not looked at.
        seen: What was seen.
        advice: What to do; empty where there is nothing.
    """

    state: State
    seen: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is looked at.

    Attributes:
        settings: What is in force.
        rerank_url: The rerank API.
        named: Whether somebody named it; otherwise it is where `prorank serve` would answer, and need not run.
    """

    settings: Settings
    rerank_url: str
    named: bool


class Check(NamedTuple):
    """One check.

    Attributes:
        name: What is looked at.
        look: Looks; sends nothing but reads.
        needs: The check without whose success there is nothing to look at.
    """

    name: str
    look: Callable[[Installation], Finding]
    needs: str | None = None
