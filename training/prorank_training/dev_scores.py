"""A model's scores of the dev queries' texts, kept on disk: reading them takes most of an export's time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from prorank_search.protocols import Rescorer
from prorank_search.storage.whole_files import drop_broken_line, whole_lines
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
    drop_broken_line(file)
    known: list[list[float]] = [json.loads(line) for line in whole_lines(file)]
    with file.open("a", encoding="utf-8") as lines:
        for done, query in enumerate(queries[len(known) :], start=len(known) + 1):
            scored = rescorer.score(ScoreRequest(query.query, query.texts)) if query.texts else []
            known.append([one.score for one in scored if one.score is not None])
            lines.write(json.dumps(known[-1]) + "\n")
            lines.flush()
            progress(done, len(queries), {"collection": query.collection})
    return known
