"""`prorank compare`: a query's hits before and after rescoring, side by side."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from prorank_search.movement import Comparison
    from prorank_search.types import RescoredHit

app = typer.Typer()

TWO_COLUMNS_WIDTH = 72
"""In a terminal narrower than this the second list comes below the first."""


@app.command()
def compare(
    query: Annotated[str, typer.Argument(help="What to search for: plain text, quotes and colons included.")],
    *,
    index: options.IndexOption,
    window_size: options.WindowSizeOption = None,
    top_k: options.TopKOption = None,
    no_rescore: options.NoRescoreOption = False,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    timeout_s: options.TimeoutOption = None,
    query_body: options.QueryBodyOption = None,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    config: options.ConfigOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show a query's hits before and after rescoring, side by side."""
    from prorank_search.cli.answer import answer
    from prorank_search.movement import compare as compare_orders

    settings = options.settings_from(
        index=index,
        window_size=window_size,
        top_k=top_k,
        rescorer=rescorer,
        model=model,
        device=device,
        timeout_s=timeout_s,
        backend=backend,
        url=url,
        config=config,
    )
    result = answer(query, index, settings, no_rescore=no_rescore, whole_window=True, query_body=query_body)
    comparison = compare_orders(result, settings.top_k)
    if json:
        options.echo_json(comparison.to_json())
    else:
        show(comparison, settings.top_k)


def show(comparison: Comparison, top_k: int) -> None:
    """Print both lists with what became of the query, the first `top_k` hits of each."""
    from rich.console import Console

    from prorank_search.cli.hits import status_line

    console = Console(highlight=False)
    console.print(comparison.summary, style="bold", markup=False)
    before = [_before(hit) for hit in comparison.first_stage]
    after = [_after(hit, top_k) for hit in comparison.second_stage]
    headings = _headings(comparison)
    if console.width >= TWO_COLUMNS_WIDTH:
        console.print(_side_by_side(headings, before, after))
    else:
        for heading, cards in zip(headings, (before, after), strict=True):
            console.print(f"\n{heading}", style="bold", markup=False)
            for card in cards:
                console.print(card, end="\n\n")
    console.print(status_line(comparison.result), markup=False)


def _headings(comparison: Comparison) -> tuple[str, str]:
    took, status = comparison.result.took_ms, comparison.result.status
    second = {
        "ok": "rescored by {model}, {ms:.0f} ms",
        "partial": "rescored in part by {model}, {ms:.0f} ms",
        "degraded": "BM25's order: no scores from {model} in {ms:.0f} ms",
        "skipped": "BM25's order: not rescored",
    }[status.state]
    return f"BM25, {took['first_stage']:.0f} ms", second.format(model=status.model, ms=took["rescore"])


def _side_by_side(headings: tuple[str, str], before: list[Text], after: list[Text]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True, show_lines=True)
    for heading in headings:
        table.add_column(Text(heading), ratio=1, overflow="fold")
    for left, right in zip_longest(before, after, fillvalue=Text("")):
        table.add_row(left, right)
    return table


def _before(hit: RescoredHit) -> Text:
    from prorank_search.cli.hits import card

    goes = "stays" if hit.rank == hit.first_stage_rank else f"now {hit.rank}"
    return card(hit, hit.first_stage_rank, "", f"BM25 {hit.first_stage_score:.2f}, {goes}")


def _after(hit: RescoredHit, top_k: int) -> Text:
    from prorank_search.cli.hits import card, scores
    from prorank_search.movement import movement

    steps = abs(hit.first_stage_rank - hit.rank)
    moved = {"new": "new", "up": f"▲{steps}", "down": f"▼{steps}", "same": "="}[movement(hit, top_k)]
    return card(hit, hit.rank, moved, f"was {hit.first_stage_rank}, {scores(hit)}")
