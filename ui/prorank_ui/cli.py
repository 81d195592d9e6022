"""`prorank ui`: starts the app."""

from __future__ import annotations

import os
import socket
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
    from prorank_search.plugins import missing_extra

    try:
        from streamlit.web import cli as streamlit
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank ui") from error
    check_free(host, port)
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # else a header could change the address that trusted_proxies is about
    streamlit.main(streamlit_arguments(port, host, headless=headless), prog_name="streamlit")


def check_free(host: str, port: int) -> None:
    """Say so where no page can be served on an address: Streamlit's own words for it end without advice.

    Raises:
        ConfigError: The port is taken or not allowed, or this machine has no such address.
    """
    from prorank_search.errors import ConfigError

    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise ConfigError(f"cannot listen at {host!r}, port {port}: {reason}; choose another --port") from error


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
