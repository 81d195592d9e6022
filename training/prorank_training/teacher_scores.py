"""What a teacher said of training groups, on disk: one line of JSON a group, added while the teacher is at work.

So training can begin on what is there, and a teacher that was killed goes on behind the last whole line.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from prorank_search.storage.whole_files import whole_lines


@dataclass(frozen=True, slots=True)
class Taught:
    """A teacher's scores of one group.

    Attributes:
        group: The group's position in the file of groups.
        collection: Where the group comes from.
        scores: Of its positive, its hard and its random negatives; higher is better.
    """

    group: int
    collection: str
    scores: list[float]


@dataclass(frozen=True, slots=True)
class TeacherStatistics:
    """How a teacher judges the groups of one collection.

    Attributes:
        taught: Groups that it scored.
        teacher_first: Share of them in which it puts the positive before every negative.
        masked: Share of their negatives that it puts above the positive: likely false ones.
    """

    taught: int
    teacher_first: float
    masked: float


def read_taught(file: Path) -> list[Taught]:
    """Read what a teacher has scored so far; nothing where it never began.

    Example:
        >>> read_taught(Path("nowhere.jsonl"))
        []
    """
    return [Taught(**json.loads(line)) for line in whole_lines(file)]


def line_of(taught: Taught) -> str:
    """Return the line that stands for a group's scores."""
    return json.dumps(asdict(taught)) + "\n"


def likely_false(scores: Sequence[float], margin: float) -> list[bool]:
    """Tell for each negative whether a teacher puts it more than `margin` above the positive, which comes first.

    Example:
        >>> likely_false([0.7, 0.75, 0.6], margin=0.0)
        [True, False]
    """
    positive, *negatives = scores
    return [score > positive + margin for score in negatives]


def statistics(rows: Iterable[Taught], margin: float) -> dict[str, TeacherStatistics]:
    """Return how a teacher judges each collection.

    Args:
        rows: Its scores.
        margin: By how much a negative has to be above the positive to be taken for a false one.
    """
    by_collection: dict[str, list[list[float]]] = defaultdict(list)
    for row in rows:
        by_collection[row.collection].append(row.scores)
    return {name: _statistics(groups, margin) for name, groups in by_collection.items()}


def _statistics(groups: Sequence[Sequence[float]], margin: float) -> TeacherStatistics:
    false = [flag for scores in groups for flag in likely_false(scores, margin)]
    first = [all(scores[0] > score for score in scores[1:]) for scores in groups]
    return TeacherStatistics(len(groups), round(fmean(first), 4), round(fmean(false), 4) if false else 0.0)
