"""`prorank serve`: the second stage over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from prorank_search.cli import options

app = typer.Typer()


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option("--host", help="Address to answer at; only this machine's own.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0: any that is free.")] = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    device: options.DeviceOption = None,
    timeout_s: options.TimeoutOption = None,
    max_texts: Annotated[int | None, typer.Option("--max-texts", help="Documents in one request at most.")] = None,
    max_body_mb: Annotated[int | None, typer.Option("--max-body-mb", help="Largest body that is read.")] = None,
    max_queued_tokens: Annotated[
        str | None, typer.Option("--max-queued-tokens", metavar="auto|N", help="Past it, requests are sent away.")
    ] = None,
    config: options.ConfigOption = None,
) -> None:
    """Answer rerank requests over HTTP, in the shapes of Cohere, Jina, vLLM and text-embeddings-inference."""
    import logging

    from prorank_search import plugins
    from prorank_search.search import load_rescorer

    settings = options.settings_from(
        host=host,
        port=port,
        rescorer=rescorer,
        model=model,
        device=device,
        timeout_s=timeout_s,
        max_texts=max_texts,
        max_body_mb=max_body_mb,
        max_queued_tokens=max_queued_tokens,
        config=config,
    )
    for module in ("fastapi", "uvicorn", "prometheus_client"):
        plugins.require(module, needed_by="prorank serve")
    from prorank_search.serving.server import serve as run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run(
        settings,
        lambda: load_rescorer(settings=settings),
        lambda url: typer.echo(f"{url} answers; /ready tells when {settings.rescorer} is loaded", err=True),
    )
