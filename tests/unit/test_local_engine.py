"""What `prorank engine` refuses and tells, without a server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.errors import BackendError, ConfigError
from prorank_search.local import engine, node, state
from prorank_search.local.account import Account, java_for, server_home
from prorank_search.local.lock import DEFAULT_VERSION, Lock, known_versions, lock_of
from prorank_search.local.tree import assemble

COMMANDS = CliRunner()
SLOW_SERVER = """
import http.server, sys, time
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): pass
time.sleep(float(sys.argv[2]))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
"""Answers as a server that has come up, some time after its start."""


@pytest.fixture
def home(prorank_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is used as it is, also by root."""
    monkeypatch.setattr(engine, "server_account", lambda: None)
    return prorank_home


Start = Callable[[float], state.Started]


@pytest.fixture
def starting(home: Path) -> Iterator[Start]:
    """Start a server as somebody did who was killed before it answered: after so many seconds."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(answers_after_s: float) -> state.Started:
        port = node.free_port()
        folder = str(home / "node")
        command = [
            sys.executable,
            "-c",
            SLOW_SERVER,
            str(port),
            str(answers_after_s),
            f"-Dopensearch.path.conf={folder}",
        ]
        begun.append(subprocess.Popen(command))
        started = state.Started(begun[0].pid, port, DEFAULT_VERSION, with_ml=False, folder=folder)
        (home / "engines").mkdir(parents=True)
        state.write(home / "engines" / "opensearch.json", started)
        return started

    yield start
    for process in begun:
        process.kill()
        process.wait()


def kill(started: state.Started) -> None:
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])  # noqa: S104 (it has to be refused)
@pytest.mark.usefixtures("home")
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    refused = COMMANDS.invoke(app, ["engine", "up", "opensearch", "--host", host])

    assert refused.exit_code == 2
    assert f"refused to listen at '{host}'" in refused.output
    assert "no password and no TLS" in refused.output


@pytest.mark.usefixtures("home")
def test_an_unknown_version_is_told_with_the_known_ones() -> None:
    refused = COMMANDS.invoke(app, ["engine", "fetch", "opensearch", "--version", "1.0"])

    assert refused.exit_code == 2
    assert "2.19.1, 3.6.0" in refused.output


def test_a_taken_port_is_told_before_anything_is_fetched(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of this machine is taken by another program"):
            engine.up(home, lambda _step, _done: None, port=port)


def test_what_never_ran_is_told_so(home: Path) -> None:
    assert engine.status(home) == engine.Status()
    assert not engine.down(home)
    assert "was never started" in COMMANDS.invoke(app, ["engine", "logs", "opensearch"]).output


@pytest.mark.parametrize(
    "started",
    [
        pytest.param(state.Started(os.getpid(), 9200, "2.19.1", with_ml=False, folder="/no/such"), id="pid used again"),
        pytest.param(state.Started(2**22, 9200, "2.19.1", with_ml=False, folder="/no/such"), id="no such process"),
    ],
)
def test_a_server_that_was_killed_does_not_run_whoever_has_its_pid(home: Path, started: state.Started) -> None:
    path = home / "engines" / "opensearch.json"
    path.parent.mkdir(parents=True)
    state.write(path, started)

    found = json.loads(COMMANDS.invoke(app, ["engine", "status", "opensearch", "--json"]).stdout)

    assert not found["running"]
    assert found["ended_by_itself"]
    assert found["pid"] is None
    assert not engine.down(home)  # and whoever has the pid now lives on


@pytest.mark.parametrize("version", known_versions())
def test_every_artifact_of_a_version_is_pinned_by_a_sha256(version: str) -> None:
    lock = lock_of(version)

    assert lock.version == version
    assert {len(sha256) for sha256 in lock.pinned(with_ml=True).values()} == {64}
    assert len(lock.pinned(with_ml=True)) > len(lock.pinned(with_ml=False)) > 80


def test_root_runs_it_elsewhere_where_its_home_is_closed(tmp_path: Path) -> None:
    nobody = Account(65534, 65534)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    assert server_home(closed, nobody) == Path("/var/lib/prorank")
    assert server_home(closed, None) == closed


def test_a_java_that_nobody_can_reach_is_copied(tmp_path: Path) -> None:
    java = tmp_path / "closed" / "runtime" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("java", encoding="utf-8")
    (tmp_path / "closed").chmod(0o700)

    copied = java_for(java, tmp_path, Account(65534, 65534))

    assert copied != java
    assert copied.read_text(encoding="utf-8") == "java"
    assert java_for(java, tmp_path, None) == java


def test_a_server_that_still_starts_is_waited_for(home: Path, starting: Start) -> None:
    started = starting(1.0)

    found = engine.up(home, lambda _step, _done: None, port=started.port)

    assert found.answers
    assert found.pid == started.pid


def test_a_server_runs_though_the_clock_was_set_meanwhile(home: Path, starting: Start) -> None:
    started = starting(0.0)
    file = home / "engines" / "opensearch.json"
    file.write_text(json.dumps({"moment": 1.0, **json.loads(file.read_text("utf-8"))}), encoding="utf-8")

    assert engine.status(home).running
    assert engine.status(home).pid == started.pid


def test_a_server_that_ends_before_it_answers_is_told(
    home: Path, starting: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = starting(60.0)
    asked = iter([False])

    def answer(*_: object) -> None:
        if next(asked, True):  # the first time it is seen to run
            kill(started)

    monkeypatch.setattr(node, "answer", answer)

    with pytest.raises(BackendError, match="ended while it started"):
        engine.up(home, lambda _step, _done: None, port=started.port)


def test_a_server_that_ends_while_it_is_asked_is_told(
    home: Path, starting: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = starting(60.0)

    def ends(_port: int) -> None:
        kill(started)
        os.waitpid(started.pid or 0, 0)

    monkeypatch.setattr(node, "answer", ends)

    assert not engine.status(home).answers
    assert engine.status(home).ended_by_itself


def test_of_two_that_put_a_server_together_at_once_the_first_ones_stays(tmp_path: Path) -> None:
    lock, tree = Lock("2.0.0", {}, {}), tmp_path / "opensearch-2.0.0"
    first: list[int] = []

    def meanwhile(_step: str, _done: float) -> None:
        if not first:
            first.append(0)
            assemble(lock, tree, tmp_path, lambda _step, _done: None)
            first[0] = tree.stat().st_ino

    assemble(lock, tree, tmp_path, meanwhile)

    assert [tree.stat().st_ino] == first
    assert list(tmp_path.glob(".*")) == []


def test_data_that_plugins_may_have_written_are_known_though_the_start_failed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def prepared(version: str, home: Path, port: int, _progress: object, *, with_ml: bool, **_: object) -> node.Node:
        asked.append(with_ml)
        return node.Node(home, home / "engines" / f"opensearch-{version}-node", port, Path("/bin/false"), 2)

    monkeypatch.setattr(engine, "prepare", prepared)

    for with_ml in (True, False):
        with pytest.raises(BackendError, match="ended while it started"):
            engine.up(home, lambda _step, _done: None, port=node.free_port(), with_ml=with_ml)

    assert asked == [True, True]
