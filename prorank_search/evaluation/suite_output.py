"""A suite's results as two files in a folder: what `--json` prints, and a line for each query."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prorank_search.errors import InputError
from prorank_search.evaluation.measures import Values
from prorank_search.evaluation.suite import SuiteResult
from prorank_search.evaluation.suite_candidates import Candidates
from prorank_search.evaluation.suite_summary import to_json
from prorank_search.storage.tables import json_object, read_lines
from prorank_search.storage.whole_files import write_whole

RESULTS, QUERIES = "results.json", "queries.jsonl"

LOOKED_AT = 10
"""First hits of each system whose judgments are looked for."""


@dataclass(frozen=True, slots=True)
class QueryValues:
    """One query under every system.

    Attributes:
        collection: Name of the collection.
        query_id: The query.
        query: Its text.
        values: System to measure to value.
        unjudged: Documents among the first ten of some system that nobody judged.
    """

    collection: str
    query_id: str
    query: str
    values: Values
    unjudged: Sequence[str]


@dataclass(frozen=True, slots=True)
class Results:
    """What `write_results` wrote.

    Attributes:
        suite: Name of the suite.
        runs: One object for each collection and system, see docs/evaluate.md.
        rescorers: What each second stage says of itself.
        queries: One for each query of each collection.
    """

    suite: str
    runs: Sequence[Mapping[str, Any]]
    rescorers: Sequence[Mapping[str, Any]]
    queries: Sequence[QueryValues]


def write_results(folder: Path, result: SuiteResult, everything: Sequence[Candidates]) -> None:
    """Write a suite's results into a folder; what stands there is replaced.

    Args:
        folder: The folder, made where there is none.
        result: What was measured.
        everything: The candidates that it was measured with.

    Raises:
        InputError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(asdict(one), ensure_ascii=False) for one in _query_values(result, everything))
        write_whole(folder / QUERIES, "".join(f"{line}\n" for line in lines))
        write_whole(folder / RESULTS, f"{json.dumps(to_json(result), ensure_ascii=False, indent=1)}\n")
    except OSError as error:
        raise InputError(f"the results cannot be written to {folder}: {error}") from error


def read_results(folder: Path) -> Results:
    """Read what `write_results` wrote.

    Raises:
        InputError: There are no results, or not of this version.
    """
    try:
        written = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
        queries = [QueryValues(**json_object(place, line)) for place, line in read_lines(folder / QUERIES)]  # type: ignore[arg-type]  # what is missing is told
        return Results(written["suite"], written["runs"], written["rescorers"], queries)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder} holds no results of a suite that can be read: {error}") from error


def _query_values(result: SuiteResult, everything: Sequence[Candidates]) -> Iterator[QueryValues]:
    for candidates in everything:
        systems = result.on(candidates.name)
        judged = {(qrel.query_id, qrel.doc_id) for qrel in candidates.qrels}
        for ranking in candidates.rankings:
            query = ranking.query
            shown = (
                scored.doc_id for one in systems for scored in one.evaluation.final_run[query.query_id][:LOOKED_AT]
            )
            yield QueryValues(
                candidates.name,
                query.query_id,
                query.text,
                {one.system.name: one.values[query.query_id] for one in systems},
                [doc_id for doc_id in dict.fromkeys(shown) if (query.query_id, doc_id) not in judged],
            )
