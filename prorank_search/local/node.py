"""One server as a process of this machine: its folder, its command line, its start and its end."""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prorank_search.errors import BackendError
from prorank_search.local.account import Account, own, take_back

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
LOG_NAME = "server.log"
CONSOLE_LOG = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
"""log4j2.properties: all that a server says goes to its standard output."""

_ANSWER_TIMEOUT_S = 5.0
_INDEXES_ARE_OPEN = "/_cluster/health?wait_for_status=yellow&timeout=30s"
_INDEXES_TIMEOUT_S = 35.0
_POLL_S = 0.2
_SHOWN_LINES = 15
_LOCALE_POLICY = """\
grant { permission java.lang.RuntimePermission "localeServiceProvider"; };
"""


@dataclass(frozen=True)
class Node:
    """A server's own folder, and how it is run.

    Attributes:
        tree: The jars that it runs from.
        folder: Its data, log and configuration.
        port: Where it answers, on 127.0.0.1.
        java: The program that runs it.
        major: The first number of its version.
        heap: Java's heap, as `-Xmx` takes it.
        account: Who it runs as; None: who starts it.
        settings: More lines of opensearch.yml.
        java_options: More options of Java.
    """

    tree: Path
    folder: Path
    port: int
    java: Path
    major: int
    heap: str = "512m"
    account: Account | None = None
    settings: Sequence[str] = ()
    java_options: Sequence[str] = ()

    @property
    def url(self) -> str:
        """Where it answers."""
        return url_of(self.port)

    @property
    def data(self) -> Path:
        """Where its indexes lie."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / LOG_NAME


def start(node: Node) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process; it does not answer yet.

    Raises:
        OSError: Its folder cannot be written, or Java cannot be run.
    """
    _configure(node)
    account = node.account
    command = _command(node)
    _log.debug("running %s", command)
    node.log.unlink(missing_ok=True)
    with node.log.open("xb") as log:
        own(node.folder, account)
        return subprocess.Popen(
            command,
            cwd=node.tree,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def wait_until_up(exit_code: Callable[[], int | str | None], port: int, log: Path, timeout_s: float) -> None:
    """Return as soon as the server can be used.

    Args:
        exit_code: Of the server's process, such as its `poll`; None: it lives.
        port: Where it is to answer, on 127.0.0.1.
        log: What it says.
        timeout_s: Seconds to wait.

    Raises:
        BackendError: It ended, or does not answer in time; with what it said last.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if (code := exit_code()) is not None:
            raise BackendError(f"the server ended while it started (exit code {code}):\n{last_words(log)}")
        if answer(port, "/_cluster/health") is not None:
            answer(port, _INDEXES_ARE_OPEN, timeout_s=_INDEXES_TIMEOUT_S)
            return
        time.sleep(_POLL_S)
    raise BackendError(f"the server does not answer after {timeout_s:.0f} s; it said last:\n{last_words(log)}")


def answer(port: int, path: str = "/", timeout_s: float = _ANSWER_TIMEOUT_S) -> dict[str, object] | None:
    """Return what the server of this machine answers to a GET, or None where no server answers with 200 and JSON."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        found = json.loads(body) if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


def url_of(port: int) -> str:
    """Return the address of a server of this machine."""
    return f"http://{HOST}:{port}"


def free_port() -> int:
    """Return a port that nothing listens at just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Tell whether something of this machine listens at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def last_words(log: Path, lines: int = _SHOWN_LINES) -> str:
    """Return the end of a log."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(nothing)"


def _configure(node: Node) -> None:
    config = node.folder / "config"
    take_back(node.folder, node.account)
    if config.is_symlink():
        config.unlink()  # the account's: nobody else makes one there
    take_back(config, node.account)
    for folder in (config, node.data, node.folder / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    settings = [
        "cluster.name: prorank-local",
        "node.name: prorank-local",
        "discovery.type: single-node",
        f"network.host: {HOST}",
        f"http.port: {node.port}",
        f"transport.port: {free_port()}",
        f"path.data: {json.dumps(str(node.data))}",
        f"path.logs: {json.dumps(str(node.folder / 'logs'))}",
        "bootstrap.system_call_filter: false",
        "cluster.routing.allocation.disk.threshold_enabled: false",
        *node.settings,
    ]
    for name, text in (
        ("opensearch.yml", "\n".join([*settings, ""])),
        ("log4j2.properties", CONSOLE_LOG),
        ("java.policy", _LOCALE_POLICY),
    ):
        (config / name).unlink(missing_ok=True)
        (config / name).write_text(text, encoding="utf-8")


def _command(node: Node) -> list[str]:
    temporary = node.folder / "tmp"
    config = node.folder / "config"
    of_version = (
        ["-Djava.security.manager=allow", f"-Djava.security.policy={config / 'java.policy'}"]
        if node.major == 2  # noqa: PLR2004 (3.x has no security manager)
        else []
    )
    return [
        str(node.java),
        f"-Xms{node.heap}",
        f"-Xmx{node.heap}",
        "-Xss1m",
        "-XX:+UseG1GC",
        "-XX:-UsePerfData",
        f"-XX:ErrorFile={node.folder / 'java-error.log'}",
        f"-Djava.io.tmpdir={temporary}",
        f"-Djna.tmpdir={temporary}",
        "-Djna.nosys=true",
        f"-Djava.locale.providers=SPI,{'COMPAT' if node.major == 2 else 'CLDR'}",  # noqa: PLR2004
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dio.netty.allocator.numDirectArenas=0",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        f"-Dopensearch.path.home={node.tree}",
        f"-Dopensearch.path.conf={config}",
        "-Dopensearch.distribution.type=tar",
        "-Dopensearch.bundled_jdk=false",
        *of_version,
        *node.java_options,
        "-cp",
        f"{node.tree / 'lib'}{os.sep}*",
        "org.opensearch.bootstrap.OpenSearch",
    ]
