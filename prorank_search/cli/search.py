"""`prorank search`: a query's hits, the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prorank_search.cli import options

if TYPE_CHECKING:
    from prorank_search.types import SearchResult

app = typer.Typer()


@app.command()
def search(
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
    """Search an index: BM25 finds, the model puts the best first."""
    from prorank_search.cli.answer import answer

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
    result = answer(query, index, settings, no_rescore=no_rescore, query_body=query_body)
    if json:
        options.echo_json(result.to_json())
    else:
        _show(result)


def _show(result: SearchResult) -> None:
    from rich.console import Console

    from prorank_search.cli.hits import card, scores, status_line
    from prorank_search.movement import nothing_found

    console = Console(highlight=False)
    if not result.hits:
        console.print(nothing_found(result.status), markup=False)
    for hit in result.hits:
        moved = "" if hit.rescore_score is None else f"(was {hit.first_stage_rank})"
        console.print(card(hit, hit.rank, moved, scores(hit)), end="\n\n")
    console.print(status_line(result), markup=False)
