"""A suite whose searches a service does: `python -m prorank_ui.clients.service_suite FOLDER`, the command of a job.

Reads `suite.json` in the folder and writes what `prorank evaluate-suite --out FOLDER` writes. What the service has said
is kept in `answers.jsonl`: started again, it goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from prorank_search.cli.progress_file import Told, also_in_file
from prorank_search.errors import NotReadyError, OverloadedError, ProRankError, RescorerError
from prorank_search.evaluation.evaluate import rankings
from prorank_search.evaluation.judged import own_documents
from prorank_search.evaluation.measures import DEPTH
from prorank_search.evaluation.ordering import ScoreTable
from prorank_search.evaluation.suite import measure_suite
from prorank_search.evaluation.suite_candidates import Candidates, Judged, read_judged
from prorank_search.evaluation.suite_file import Suite, SuiteRescorer, read_suite
from prorank_search.evaluation.suite_output import write_results
from prorank_search.profiles import Profile
from prorank_search.settings import load_settings
from prorank_search.storage.whole_files import drop_broken_line, whole_lines
from prorank_search.types import Blend, Query, Ranking, SearchResult
from prorank_ui.choices import Choice, Side
from prorank_ui.clients.service_client import STAGE, ServiceClient, open_service
from prorank_ui.evaluate import evaluating
from prorank_ui.roles import Person

_ANSWERS = "answers.jsonl"
_DEADLINE_S = 600.0
"""Seconds that the service may take for one search: nobody waits for it."""

_TRIES, _PAUSE_S = 6, 2.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the service said of a query's window.

    Attributes:
        stage: Name of the suite's rescorer.
        query_id: The query.
        scores: By `doc_id`.
        model: What scored.
        revision: Of its model.
        reason: What it says against its own scores.
        blend: How it makes both scores one, where nobody says it otherwise.
    """

    stage: str
    query_id: str
    scores: Mapping[str, float]
    model: str
    revision: str
    reason: str
    blend: Mapping[str, object] | None


def run(folder: Path, client: ServiceClient, home: Path, told: Told = lambda *_: None) -> None:
    """Measure the suite in a folder with a service.

    Args:
        folder: Where the suite lies and the results go.
        client: Of the service.
        home: Where judgments and collections are.
        told: Told how far it is.

    Raises:
        InputError: A query set, folder or index is missing.
        RescorerError: The service's second stage failed, or changed meanwhile.
        ProRankError: The service could not be asked.
    """
    suite = read_suite(folder / evaluating.SUITE)
    (judged,) = read_judged(suite, home / evaluating.COLLECTIONS, home)
    candidates = _candidates(suite, judged, client)
    tables = {
        name: _table(folder, _Stage(name, stage, suite, candidates, client), also_in_file(folder, told))
        for name, stage in suite.rescorers.items()
    }
    write_results(folder, measure_suite(suite, [candidates], {candidates.name: tables}), [candidates])


def _candidates(suite: Suite, judged: Judged, client: ServiceClient) -> Candidates:
    window = suite.window_of(judged.collection)
    deepest = max([window, *(system.window_size or 0 for system in suite.systems)])
    find = client.first_stage(str(judged.collection.index))
    found = list(rankings(judged.queries, find, max(DEPTH, deepest), own_documents(judged.qrels)))
    return Candidates(
        judged.collection,
        judged.split,
        judged.qrels,
        [ranking for ranking, _ in found],
        window,
        Profile(),
        sum(seconds for _, seconds in found),
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """A second stage of the suite, as it is asked for."""

    name: str
    stage: SuiteRescorer
    suite: Suite
    candidates: Candidates
    client: ServiceClient

    @property
    def window(self) -> int:
        """First-stage hits that some system rescores with it."""
        using = [system for system in self.suite.systems if self.name in system.rescorers]
        return max(system.window_size or self.candidates.window_size for system in using)

    def ask(self, query: Query) -> _Answer:
        """Have a query's window scored."""
        window = self.window + 1  # one more: the query's own document, which does not count, may be among them
        side = Side(STAGE, self.stage.model or "", str(window), instruction=self.stage.instruction or "")
        choice = Choice(query.text, str(self.candidates.collection.index), side, top_k=window)
        result = _patient(lambda: self.client.search(choice, deadline_s=_DEADLINE_S))
        status = result.status
        return _Answer(
            self.name,
            query.query_id,
            {hit.document.doc_id: hit.rescore_score for hit in result.hits if hit.rescore_score is not None},
            status.model or "",
            status.model_revision or "",
            status.reason,
            None if status.blend is None else asdict(status.blend),
        )


def _table(folder: Path, stage: _Stage, told: Told) -> ScoreTable:
    """Return the scores of a stage; what was said before is not asked for again."""
    known = {answer.query_id: answer for answer in _kept(folder) if answer.stage == stage.name}
    found = stage.candidates.rankings
    total, done, began = sum(len(one.hits[: stage.window]) for one in found), 0, time.monotonic()
    scores: dict[tuple[str, str], float] = {}
    with (folder / _ANSWERS).open("a", encoding="utf-8") as kept:
        for ranking in found:
            query_id, hits = ranking.query.query_id, ranking.hits[: stage.window]
            if hits and query_id not in known:
                known[query_id] = stage.ask(ranking.query)
                kept.write(json.dumps(asdict(known[query_id]), ensure_ascii=False) + "\n")
                kept.flush()
            scores.update(_scores(ranking, stage, known))
            done += len(hits)
            told(stage.name, done, total)
    said = list(known.values())
    if not said:
        return ScoreTable(stage.client.info(stage.stage.model or None), "", scores)
    if len({answer.revision for answer in said}) > 1:
        raise RescorerError("the service's model changed while it was measured: start a new evaluation")
    first = said[0]
    info = stage.client.info(stage.stage.model or None)
    blend = None if first.blend is None else Blend(**first.blend)  # type: ignore[arg-type]  # it was written by `asdict`
    info = replace(info, model=first.model, reason=first.reason, blend=blend)
    return ScoreTable(info, first.revision, scores, time.monotonic() - began)


def _scores(ranking: Ranking, stage: _Stage, known: Mapping[str, _Answer]) -> Iterator[tuple[tuple[str, str], float]]:
    query_id = ranking.query.query_id
    for hit in ranking.hits[: stage.window]:
        doc_id = hit.document.doc_id
        if doc_id not in known[query_id].scores:
            raise RescorerError(
                f"the service gave the document {doc_id!r} of query {query_id!r} no score: the index changed while it "
                "was measured; start a new evaluation"
            )
        yield (query_id, doc_id), known[query_id].scores[doc_id]


def _patient(search: Callable[[], SearchResult]) -> SearchResult:
    """Search; where the service has too much to do, or is only starting, wait and try again."""
    for attempt in range(1, _TRIES + 1):
        reason = ""
        try:
            result = search()
        except (OverloadedError, NotReadyError) as error:
            reason = str(error)
        else:
            if result.status.state in {"ok", "skipped"} or not result.hits:
                return result
            reason = result.status.reason
        if attempt < _TRIES:
            time.sleep(_PAUSE_S * attempt)
    raise RescorerError(f"the service did not score a query's hits, {_TRIES} times: {reason}")


def _kept(folder: Path) -> list[_Answer]:
    """Return what was said before; a line that was cut off is asked for again."""
    drop_broken_line(folder / _ANSWERS)
    return [_Answer(**json.loads(line)) for line in whole_lines(folder / _ANSWERS)]


def main(arguments: Sequence[str]) -> int:
    """Run the suite of a folder; return the exit code."""
    settings = load_settings()
    try:
        client = open_service(settings, lambda: Person("operator"))
        run(Path(arguments[0]), client, settings.home)
    except ProRankError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
