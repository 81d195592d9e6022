"""The kill switch: rescoring on or off while the gateway runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Switch:
    """Whether searches are rescored.

    Attributes:
        on: They are.
    """

    on: bool = True

    @property
    def reason(self) -> str:
        """Why a search is not rescored; empty: it is."""
        return "" if self.on else "rescoring is switched off"
