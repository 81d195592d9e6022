"""Judgments as files, in and out: qrels (TREC, BEIR, CSV), Quepid's CSV, the Search Relevance Workbench's JSON.

    trec        QUERY_ID 0 DOC_ID RELEVANCE
    beir        query-id, corpus-id, score; parted by tabs, with a header
    csv         query_id,doc_id,relevance
    quepid      query,docid,rating; the query is its text
    workbench   the body of PUT _plugins/_search_relevance/judgments; the query is its text

A file is read as a whole or not at all: what cannot be used is an `InputError` with its place.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from prorank_search.errors import InputError
from prorank_search.judgments.store import Judgment, JudgmentStore, Origin, query_id_of
from prorank_search.qrels_files import placed_qrels
from prorank_search.storage.tables import id_string, json_object, read_csv, read_lines, string, suffix_of
from prorank_search.types import Qrel, Query

Form = Literal["trec", "beir", "csv", "quepid", "workbench"]
FORMS: tuple[Form, ...] = get_args(Form)

SUFFIXES: Mapping[Form, str] = {
    "trec": ".qrels",
    "beir": ".tsv",
    "csv": ".csv",
    "quepid": ".csv",
    "workbench": ".json",
}
"""How a file of each form is called."""

_BYTE_ORDER_MARK = "\ufeff"
_QUEPID_HEADER = ["query", "docid", "rating"]
_HIGHEST_GRADE = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What a file holds.

    Attributes:
        queries: The queries that it judges.
        qrels: Its judgments, in file order, one a document.
    """

    queries: Sequence[Query]
    qrels: Sequence[Qrel]


class _Rating(NamedTuple):
    """A judgment where it stands in a file."""

    place: str
    query: Query
    doc_id: str
    relevance: int


def form_of(path: Path) -> Form:
    """Tell a file's form by its name and its first line; `trec` stands for qrels without commas.

    Raises:
        InputError: It cannot be read.
    """
    if suffix_of(path) == ".json":
        return "workbench"
    if suffix_of(path) != ".csv":
        return "trec"
    _, cells = next(read_csv(path), ("", [""]))
    return "quepid" if _is_quepid_header(cells) else "csv"


def read_judgments(path: Path, queries: Mapping[str, Query], form: Form | None = None) -> Judged:
    """Read a file of judgments.

    Args:
        path: The file; its name may end in `.gz`.
        queries: The queries that are known, by `query_id`. Qrels name no others; a text that is not among them becomes
            a new query.
        form: The file's form; None: as `form_of` says.

    Raises:
        InputError: The file is missing or empty, a line of it cannot be used, two lines contradict each other, or qrels
            name a query that is not known.
    """
    form = form or form_of(path)
    by_text = {query.text: query for query in reversed(list(queries.values()))}
    match form:
        case "quepid":
            ratings = list(_quepid(path, by_text))
        case "workbench":
            ratings = list(_workbench(path, by_text))
        case _:
            ratings = list(_qrels(path, queries))
    if not ratings:
        raise InputError(f"{path} holds no judgment: is its form {form!r}? There are {', '.join(FORMS)}")
    _check(ratings)
    found = {rating.query.query_id: rating.query for rating in ratings}
    qrels = dict.fromkeys(Qrel(rating.query.query_id, *rating[2:]) for rating in ratings)
    return Judged(list(found.values()), list(qrels))


def take_in(
    store: JudgmentStore, judged: Judged, *, query_set: str, index: str, judge: str, origin: Origin = "person"
) -> tuple[int, int]:
    """Put a file's queries and judgments into a query set, all or nothing; what is there already is not put in again.

    Args:
        store: Where it goes.
        judged: What the file holds.
        query_set: Name of the set, which is made where there is none.
        index: The index whose documents are judged.
        judge: Who judged.
        origin: A model's judgments are proposals.

    Returns:
        How many queries and how many judgments are new.

    Raises:
        InputError: The set belongs to another index, or calls another text by the id of a query.
    """
    said = [one for one in store.judgments(query_set) if (one.judge, one.origin) == (judge, origin)]
    there = {(one.query_id, one.doc_id, one.relevance) for one in said}
    new = [
        Judgment(query_set, query_id, doc_id, judge, relevance, origin=origin)
        for query_id, doc_id, relevance in judged.qrels
        if (query_id, doc_id, relevance) not in there
    ]
    return store.take_in(query_set, index, judged.queries, new), len(new)


def written(form: Form, queries: Mapping[str, Query], qrels: Iterable[Qrel], name: str) -> str:
    """Return judgments as the text of a file.

    Args:
        form: The file's form.
        queries: Every judged query, by `query_id`.
        qrels: The judgments.
        name: Name of the query set.

    Raises:
        InputError: An id has in it what parts the columns: white space in TREC, a tab or line end in BEIR.
    """
    if form == "workbench":
        return _written_workbench(queries, qrels, name)
    if form == "quepid":
        return _written_table(_QUEPID_HEADER, [[queries[query].text, *rest] for query, *rest in qrels])
    if form == "csv":
        return _written_table(["query_id", "doc_id", "relevance"], qrels)
    lines = ["query-id\tcorpus-id\tscore"] if form == "beir" else []
    for query_id, doc_id, relevance in qrels:
        parted = next((one for one in (query_id, doc_id) if not _fits(one, form)), None)
        if parted is not None:
            raise InputError(f"the id {parted!r} has white space in it, which {form} parts columns by: take csv")
        lines.append(f"{query_id}\t{doc_id}\t{relevance}" if form == "beir" else f"{query_id} 0 {doc_id} {relevance}")
    return "".join(f"{line}\n" for line in lines)


def _fits(identifier: str, form: Form) -> bool:
    """Tell whether an id can stand in a column: TREC's end at any white space, BEIR's at a tab."""
    if form == "trec":
        return identifier.split() == [identifier]
    return identifier == identifier.strip() and "\t" not in identifier and len(identifier.splitlines()) == 1


def _qrels(path: Path, queries: Mapping[str, Query]) -> Iterator[_Rating]:
    for place, qrel in placed_qrels(path):
        if qrel.query_id not in queries:
            raise InputError(
                f"{place}: the query {qrel.query_id!r} is not known here: give the file of its queries as well"
            )
        yield _Rating(place, queries[qrel.query_id], qrel.doc_id, qrel.relevance)


def _quepid(path: Path, by_text: Mapping[str, Query]) -> Iterator[_Rating]:
    """Read Quepid's columns; a row without a rating is a document that nobody rated."""
    for row, (place, cells) in enumerate(read_csv(path)):
        if not row and _is_quepid_header(cells):
            continue
        if len(cells) != len(_QUEPID_HEADER):
            raise InputError(f"{place}: {len(cells)} columns; wanted are {', '.join(_QUEPID_HEADER)}")
        text, doc_id, rating = (cell.strip() for cell in cells)
        if rating:
            yield _Rating(place, _query(place, text, by_text), _named(place, doc_id), _grade(place, rating))


def _workbench(path: Path, by_text: Mapping[str, Query]) -> Iterator[_Rating]:
    body = json_object(str(path), "\n".join(line for _, line in read_lines(path)))
    for at, of_query in enumerate(_objects(f"{path}: judgmentRatings", body.get("judgmentRatings"))):
        place = f"{path}: judgmentRatings[{at}]"
        query = _query(place, string(place, of_query, "query").strip(), by_text)
        for number, rating in enumerate(_objects(f"{place}.ratings", of_query.get("ratings"))):
            inner = f"{place}.ratings[{number}]"
            doc_id = _named(inner, id_string(inner, rating, "docId"))
            yield _Rating(inner, query, doc_id, _grade(inner, rating.get("rating")))


def _objects(place: str, value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InputError(f"{place} must be a list of objects, got {str(value)[:80]!r}")
    return value


def _is_quepid_header(cells: list[str]) -> bool:
    return [cell.strip().lstrip(_BYTE_ORDER_MARK).lower() for cell in cells] == _QUEPID_HEADER


def _query(place: str, text: str, by_text: Mapping[str, Query]) -> Query:
    if not text:
        raise InputError(f"{place}: the query is empty: write its text")
    return by_text.get(text) or Query(query_id_of(text), text)


def _named(place: str, doc_id: str) -> str:
    if not doc_id:
        raise InputError(f"{place}: the document's id is empty: write it, or leave the line out")
    return doc_id


def _grade(place: str, value: object) -> int:
    """Read a relevance that may be written with a fraction of nothing, such as "3.000"."""
    try:
        number = float(str(value))
        grade = int(number)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{place}: the rating {value!r} is not a number") from error
    if grade != number:
        raise InputError(f"{place}: the rating {value!r} is between two grades: write whole numbers from 0")
    return grade


def _check(ratings: Sequence[_Rating]) -> None:
    said: dict[tuple[str, str], _Rating] = {}
    for rating in ratings:
        if not 0 <= rating.relevance <= _HIGHEST_GRADE:
            raise InputError(
                f"{rating.place}: the relevance {str(rating.relevance)[:20]} is no grade: write 0 for what is not "
                f"relevant, and {_HIGHEST_GRADE:,} at most"
            )
        before = said.setdefault((rating.query.query_id, rating.doc_id), rating)
        if before.relevance != rating.relevance:
            raise InputError(
                f"{rating.place}: {rating.doc_id!r} has relevance {rating.relevance} for the query "
                f"{rating.query.text!r}, and {before.relevance} at {before.place}: leave one of them"
            )


def _written_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue()


def _written_workbench(queries: Mapping[str, Query], qrels: Iterable[Qrel], name: str) -> str:
    ratings: dict[str, list[dict[str, str]]] = defaultdict(list)
    for query_id, doc_id, relevance in qrels:
        ratings[queries[query_id].text].append({"docId": doc_id, "rating": f"{relevance:.3f}"})
    body = {
        "name": name,
        "description": f"Judgments of the query set {name!r}, collected with ProRank Search",
        "type": "IMPORT_JUDGMENT",
        "judgmentRatings": [{"query": text, "ratings": of_query} for text, of_query in ratings.items()],
    }
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
