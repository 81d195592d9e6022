"""An Elasticsearch for the tests, from Maven artifacts, with a launcher and a plugin of ours (elasticsearch/*.java).

Elastic's own modules for analysis, scripts and the like are not to be had as artifacts: the plugin brings the analysis
that the presets name, by Lucene's classes. A JDK of this machine builds and runs it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prorank_search.local.lock import Lock, read_lock
from prorank_search.local.node import CONSOLE_LOG, HOST, free_port, url_of, wait_until_up
from prorank_search.maven import fetch
from tests.engines.servers import QUICK_START, UP_TIMEOUT_S, Server, missing, open_folder

VERSION = "8.19.21"

_SOURCES = Path(__file__).parent / "elasticsearch"
_HEAP = "512m"
_MODULE_PATH = "--add-modules=jdk.net,ALL-MODULE-PATH"


def jdk_is_missing() -> str:
    """Return what to install; empty: a JDK is there."""
    if shutil.which("java") and shutil.which("javac"):
        return ""
    return "there is no JDK to run Elasticsearch with: install one (Debian: apt-get install openjdk-17-jdk-headless)"


def tree_of(home: Path) -> Path:
    """Return the folder that it runs from; its name changes with whatever it is made of."""
    made_of = hashlib.sha256()
    for path in [_lock_file(), *sorted(_SOURCES.glob("*.java"))]:
        made_of.update(path.read_bytes())
    return home / "engines" / f"elasticsearch-{VERSION}-{made_of.hexdigest()[:12]}"


def prepare(home: Path) -> Path:
    """Put the folder together unless it is there, fetching what is missing."""
    tree = tree_of(home)
    if tree.is_dir():
        return tree
    lock = read_lock(_lock_file())
    jars = fetch(lock.pinned(with_ml=False), home / "maven")
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tree.parent, prefix=".elasticsearch-") as folder:
        growing = Path(folder) / "tree"
        places = dict.fromkeys(lock.lib, growing / "lib")
        for name, module in lock.modules.items():
            places |= dict.fromkeys(module.jars, growing / "modules" / name)
            _describe(growing / "modules" / name, name, module.plugin_class, lock)
        for coordinate, place in places.items():
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(jars[coordinate], place / jars[coordinate].name)
        _build(growing, lock)
        growing.rename(tree)
    return tree


@contextmanager
def run_elasticsearch(home: Path, *, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a server on a free port with an empty data folder; it is gone afterwards.

    Args:
        home: The PRORANK_HOME that it was fetched into.
        settings: More lines of elasticsearch.yml.
    """
    if reason := jdk_is_missing():
        missing(reason)
    tree = tree_of(home)
    if not tree.is_dir():
        missing("Elasticsearch is not here: python -m tests.engines.fetch")
    with open_folder() as folder:
        port = free_port()
        log = folder / "server.log"
        _configure(folder, port, settings)
        with log.open("wb") as output:
            process = subprocess.Popen(
                _command(tree, folder),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"LIBFFI_TMPDIR": str(folder / "tmp")},
            )
        try:
            wait_until_up(process, port, log, UP_TIMEOUT_S)
            yield Server(url_of(port), VERSION, process.pid, log, folder / "data")
        finally:
            process.kill()
            process.wait()


def _lock_file() -> Path:
    return _SOURCES / f"elasticsearch-{VERSION}.toml"


def _describe(folder: Path, name: str, plugin_class: str, lock: Lock) -> None:
    described = {
        "description": name,
        "version": lock.version,
        "name": name,
        "classname": plugin_class,
        "java.version": "17",
        "elasticsearch.version": lock.version,
    }
    folder.mkdir(parents=True)
    lines = [f"{key}={value}\n" for key, value in described.items()]
    (folder / "plugin-descriptor.properties").write_text("".join(lines), encoding="utf-8")


def _build(tree: Path, lock: Lock) -> None:
    """Compile launcher and plugin, and put the plugin among the modules."""
    classes = tree / "launcher"
    sources = [str(path) for path in sorted(_SOURCES.glob("*.java"))]
    javac = str(shutil.which("javac"))
    subprocess.run([javac, "-d", str(classes), "-cp", f"{tree / 'lib'}/*", *sources], check=True)
    module = tree / "modules" / "prorank-test"
    _describe(module, "prorank-test", "TestPlugin", lock)
    with zipfile.ZipFile(module / "prorank-test.jar", "w") as jar:
        for compiled in sorted(classes.glob("TestPlugin*.class")):
            jar.write(compiled, compiled.name)
            compiled.unlink()


def _configure(folder: Path, port: int, settings: Sequence[str]) -> None:
    for name in ("config", "data", "tmp"):
        (folder / name).mkdir()
    lines = [
        "cluster.name: prorank-test",
        "node.name: prorank-test",
        "discovery.type: single-node",
        f"network.host: {HOST}",
        f"http.port: {port}",
        f"transport.port: {free_port()}",
        f"path.data: {folder / 'data'}",
        f"path.logs: {folder / 'logs'}",
        "cluster.routing.allocation.disk.threshold_enabled: false",
        *settings,
    ]
    (folder / "config" / "elasticsearch.yml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "config" / "log4j2.properties").write_text(CONSOLE_LOG, encoding="utf-8")


def _command(tree: Path, folder: Path) -> list[str]:
    return [
        "java",
        f"-Xms{_HEAP}",
        f"-Xmx{_HEAP}",
        "-Xss1m",
        "-XX:+UseG1GC",
        *QUICK_START,
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Djna.tmpdir={folder / 'tmp'}",
        f"-Des.path.home={tree}",
        f"-Des.path.conf={folder / 'config'}",
        "-Des.distribution.type=tar",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        "--module-path",
        str(tree / "lib"),
        _MODULE_PATH,
        "-cp",
        str(tree / "launcher"),
        "TestNode",
    ]
