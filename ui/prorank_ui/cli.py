"""`prorank ui`: starts the app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

SCRIPT = Path(__file__).with_name("streamlit_app.py")


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that the page is served on.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address that the page is served on; other than loopback lets other machines in.")
    ] = "127.0.0.1",
    headless: Annotated[
        bool, typer.Option("--headless/--open-browser", help="Print the address only, or open it in a browser too.")
    ] = True,
) -> None:
    """Open the page that shows BM25 and ProRank side by side."""
    from prorank_search.listening import listen
    from prorank_search.plugins import missing_extra

    try:
        from streamlit.web import cli as streamlit
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank ui") from error
    listen(host, port).close()  # Streamlit's own words for an address that it cannot have end without advice
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # else a header could change the address that trusted_proxies is about
    streamlit.main(streamlit_arguments(port, host, headless=headless), prog_name="streamlit")


def streamlit_arguments(port: int, host: str, *, headless: bool) -> list[str]:
    """Return the arguments that Streamlit is started with; the rest stands in .streamlit/config.toml.

    Example:
        >>> streamlit_arguments(8501, "127.0.0.1", headless=True)[2:]
        ['--server.port=8501', '--server.address=127.0.0.1', '--server.headless=true']
    """
    return [
        "run",
        str(SCRIPT),
        f"--server.port={port}",
        f"--server.address={host}",
        f"--server.headless={str(headless).lower()}",
    ]
