"""A model's scores of the dev queries' texts, kept on disk: reading them takes most of an export's time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from prorank_search.protocols import Rescorer
from prorank_search.types import ScoreRequest
from prorank_training.groups import DevQuery
from prorank_training.progress import Progress


def score_dev(queries: Sequence[DevQuery], rescorer: Rescorer, file: Path, progress: Progress) -> list[list[float]]:
    """Score each dev query's texts, going on where the file ends.

    Args:
        queries: The dev queries, always in the same order for the same file.
        rescorer: The model.
        file: JSON Lines, a list of scores a query; its name says which model they are of.
        progress: Told of each query.
    """
    known = _read(file)
    with file.open("w", encoding="utf-8") as lines:
        for scores in known:
            lines.write(json.dumps(scores) + "\n")
        for done, query in enumerate(queries[len(known) :], start=len(known) + 1):
            scored = rescorer.score(ScoreRequest(query.query, query.texts)) if query.texts else []
            known.append([one.score for one in scored if one.score is not None])
            lines.write(json.dumps(known[-1]) + "\n")
            lines.flush()
            progress(done, len(queries), {"collection": query.collection})
    return known


def _read(file: Path) -> list[list[float]]:
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
