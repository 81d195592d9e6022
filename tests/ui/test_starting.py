"""What `prorank ui` says where it cannot start."""

from __future__ import annotations

import socket

from typer.testing import CliRunner

from prorank_search.cli import app


def test_a_taken_port_is_told_before_streamlit_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(app, ["ui", "--port", str(port)])
    assert result.exit_code == 2
    complaint = f"cannot listen at '127.0.0.1', port {port}: Address already in use; choose another --port"
    assert complaint in result.stderr
