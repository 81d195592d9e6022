"""A comparison as a file: JSON, CSV, a TREC run, a page that needs nothing else. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from prorank_search.evaluation.trec_files import lines_of, run_of
from prorank_search.types import RescoredHit, SearchResult
from prorank_ui.drawing.markup import escape

_COLUMNS = (
    "side",
    "rank",
    "doc_id",
    "title",
    "score",
    "first_stage_rank",
    "first_stage_score",
    "rescore_score",
    "probability",
)


def as_json(results: Mapping[str, SearchResult], state: Mapping[str, str]) -> str:
    """Return both results whole, with what was chosen."""
    whole = {"chosen": dict(state)} | {side: result.to_json() for side, result in results.items()}
    return json.dumps(whole, ensure_ascii=False, indent=1)


def as_csv(results: Mapping[str, SearchResult]) -> str:
    """Return one row a hit. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(_COLUMNS)
    for side, result in results.items():
        rows.writerows([_safe(cell) for cell in _row(side, hit)] for hit in result.hits)
    return written.getvalue()


def as_run(name: str, result: SearchResult, query_id: str) -> str:
    """Return a result as a TREC run; its scores fall strictly along the list.

    Raises:
        InputError: An id holds white space, which the format cannot express.
    """
    return "".join(lines_of(query_id, run_of(query_id, result.hits), name))


def as_page(title: str, styles: str, parts: Sequence[str]) -> str:
    """Return a page that can be sent to somebody: it fetches nothing and runs nothing.

    Args:
        title: What the page is called.
        styles: Its style sheet.
        parts: Its HTML, escaped already.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>:root{{color-scheme:light dark}}"
        "body{font-family:system-ui,sans-serif;max-width:1300px;margin:2rem auto;padding:0 1rem}"
        ".pr-title{all:unset;flex:1;font-weight:600}"
        f'{styles}</style></head><body><h1 dir="auto">{escape(title)}</h1>{"".join(parts)}</body></html>'
    )


def _row(side: str, hit: RescoredHit) -> list[object]:
    document = hit.document
    return [
        side,
        hit.rank,
        document.doc_id,
        document.title,
        hit.score,
        hit.first_stage_rank,
        hit.first_stage_score,
        hit.rescore_score,
        hit.probability,
    ]


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
