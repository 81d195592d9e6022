"""`prorank serve`: the second stage over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prorank_search.cli import options

app = typer.Typer()


@app.command()
def serve(
    *,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to answer at; others than loopback need a key.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0: any that is free.")] = None,
    rescorer: options.RescorerOption = None,
    model: options.ModelOption = None,
    more_models: Annotated[
        str | None,
        typer.Option("--more-models", metavar="NAME,...", help="Other models that requests may name, with commas."),
    ] = None,
    device: options.DeviceOption = None,
    timeout_s: options.TimeoutOption = None,
    backend: options.BackendOption = None,
    url: options.UrlOption = None,
    gateway_prefix: Annotated[
        str | None, typer.Option("--gateway-prefix", metavar="PATH", help="Where the search gateway begins.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate, a PEM file; then https.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key, a PEM file.")] = None,
    behind_proxy: Annotated[
        bool | None,
        typer.Option("--behind-proxy/--no-behind-proxy", help="Answer other machines by plain http: a proxy encrypts."),
    ] = None,
    keys: Annotated[
        str | None, typer.Option("--keys", metavar="auto|off", help="off: ask for no key; only on loopback.")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="text|json", help="How the log is written.")
    ] = None,
    max_texts: Annotated[int | None, typer.Option("--max-texts", help="Documents in one request at most.")] = None,
    max_body_mb: Annotated[int | None, typer.Option("--max-body-mb", help="Largest body that is read.")] = None,
    max_text_chars: Annotated[
        int | None, typer.Option("--max-text-chars", help="Characters of one text at most.")
    ] = None,
    max_request_chars: Annotated[
        int | None, typer.Option("--max-request-chars", help="Characters of all texts of a request at most.")
    ] = None,
    max_queued_tokens: Annotated[
        str | None, typer.Option("--max-queued-tokens", metavar="auto|N", help="Past it, requests are sent away.")
    ] = None,
    config: options.ConfigOption = None,
) -> None:
    """Answer rerank requests in the shapes of Cohere, Jina, vLLM and TEI, and searches in front of an engine."""
    from prorank_search import plugins
    from prorank_search.models import promotion
    from prorank_search.search import load_rescorer

    settings = options.settings_from(
        host=host,
        port=port,
        rescorer=rescorer,
        model=model,
        more_models=more_models,
        device=device,
        timeout_s=timeout_s,
        backend=backend,
        url=url,
        gateway_prefix=gateway_prefix,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
        keys=keys,
        log_format=log_format,
        max_texts=max_texts,
        max_body_mb=max_body_mb,
        max_text_chars=max_text_chars,
        max_request_chars=max_request_chars,
        max_queued_tokens=max_queued_tokens,
        config=config,
    )
    for module in ("fastapi", "uvicorn", "prometheus_client"):
        plugins.require(module, needed_by="prorank serve")
    from prorank_search.serving import logs
    from prorank_search.serving.server import serve as run

    logs.configure(settings.log_format)
    run(
        settings,
        lambda: load_rescorer(settings=promotion.followed(settings)),
        lambda url: typer.echo(f"{url} answers; /ready tells when {settings.rescorer} is loaded", err=True),
    )
