"""Write the lists of jars that `prorank engine` and the tests' Elasticsearch are made of: their addresses and sha256.

A maintainer runs it, with the network, when a version is added:

    python tests/engines/write_locks.py opensearch 2.19.1
    python tests/engines/write_locks.py elasticsearch 8.19.21

Every jar is fetched once, to know its sha256; whoever installs from the list fetches the same bytes or is told.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from jgo.maven import MavenContext

from prorank_search.model_files import sha256_of

_HERE = Path(__file__).resolve().parent
FOLDERS = {
    "opensearch": _HERE.parents[1] / "prorank_search" / "local" / "locks",
    "elasticsearch": _HERE / "elasticsearch",
}
OPENSEARCH_MODULES = (
    "transport-netty4-client",
    "analysis-common",
    "lang-painless",
    "mapper-extras-client",
    "reindex-client",
    "rank-eval-client",
    "parent-join-client",
    "lang-mustache-client",
    "ingest-common",
)
OPENSEARCH_3_MODULES = ("search-pipeline-common", "transport-grpc")
NOT_AT = {"3.6.0": ("rank-eval-client",)}
PLUGINS = ("opensearch-job-scheduler", "opensearch-knn", "neural-search", "opensearch-ml-plugin")
ML_JARS_OF_3 = ("org.bouncycastle:bcprov-jdk18on:1.78.1",)
"""Without it a connector is never made, and the node ends."""
LOCALES = ("com.ibm.icu:icu4j:76.1", "com.ibm.icu:icu4j-localespi:76.1")


class Repository:
    """Artifacts with what they need, fetched into a folder."""

    def __init__(self, folder: Path) -> None:
        self._context = MavenContext(repo_cache=folder, timeout=180)

    def closure(self, coordinates: Sequence[str]) -> dict[str, Path]:
        """Fetch artifacts and all that they need at run time."""
        wanted = [self._context.create_dependency(coordinate) for coordinate in coordinates]
        inputs, transitive = self._context.resolver.resolve(wanted)
        needed = [*inputs, *(found for found in transitive if found.scope in ("compile", "runtime"))]
        artifacts = [found.artifact for found in needed if not found.classifier]  # with one: for one platform only
        return {f"{one.groupId}:{one.artifactId}:{one.version}": one.resolve() for one in artifacts}

    def alone(self, coordinate: str) -> Path:
        """Fetch one artifact, `group:artifact:version[:packaging]`."""
        group, artifact, version, *packaging = coordinate.split(":")
        component = self._context.project(group, artifact).at_version(version)
        return Path(component.artifact(packaging=packaging[0] if packaging else "jar").resolve())


def opensearch(version: str, repository: Repository) -> str:
    """Return the list of one OpenSearch."""
    server = repository.closure(
        [f"org.opensearch:opensearch:{version}", f"org.opensearch:opensearch-plugin-classloader:{version}"]
    )
    log4j = next(name.rpartition(":")[2] for name in server if ":log4j-api:" in name)
    extra = [f"org.apache.logging.log4j:log4j-core:{log4j}", *LOCALES]
    if version.startswith("3."):
        extra.append(f"org.opensearch:opensearch-agent-bootstrap:{version}")
    for coordinate in extra:
        server |= (
            repository.closure([coordinate]) if "agent" in coordinate else {coordinate: repository.alone(coordinate)}
        )
    names = OPENSEARCH_MODULES + (OPENSEARCH_3_MODULES if version.startswith("3.") else ())
    lines = [f'version = "{version}"', "", *_table("lib", server)]
    held = {path.name for path in server.values()}
    for name in names:
        if name in NOT_AT.get(version, ()):
            continue
        jars = repository.closure([f"org.opensearch.plugin:{name}:{version}"])
        own = {coordinate: path for coordinate, path in jars.items() if path.name not in held}
        short = name.removesuffix("-client")
        lines += [
            "",
            f"[modules.{short}]",
            f'class = "{_plugin_class(own.values(), name)}"',
            *_table(f"modules.{short}.jars", own),
        ]
    plugins = {f"org.opensearch.plugin:{name}:{version}.0:zip": "" for name in PLUGINS}
    fetched = {coordinate: repository.alone(coordinate) for coordinate in plugins}
    lines += ["", *_table("plugins", fetched)]
    if version.startswith("3."):
        added = {coordinate: repository.alone(coordinate) for coordinate in ML_JARS_OF_3}
        lines += ["", *_table("plugin_jars.opensearch-ml", added)]
    return "\n".join([*lines, ""])


def elasticsearch(version: str, repository: Repository) -> str:
    """Return the list of one Elasticsearch."""
    transport = f"org.elasticsearch.plugin:transport-netty4:{version}"
    jars = repository.closure([f"org.elasticsearch:elasticsearch:{version}", transport])
    own = {name: path for name, path in jars.items() if re.search("netty|elasticsearch-ssl-config", name)}
    lib = {name: path for name, path in jars.items() if name not in own}
    lines = [f'version = "{version}"', "", *_table("lib", lib), "", "[modules.transport-netty4]"]
    lines += [f'class = "{_plugin_class(own.values(), "transport-netty4")}"']
    return "\n".join([*lines, *_table("modules.transport-netty4.jars", own), ""])


def _plugin_class(jars: Iterable[Path], name: str) -> str:
    own = next(jar for jar in jars if jar.name.startswith(name))
    with zipfile.ZipFile(own) as opened:
        found = [entry for entry in opened.namelist() if re.search(r"/\w*Plugin\.class$", entry)]
    [plugin] = found
    return plugin.removesuffix(".class").replace("/", ".")


def _table(name: str, jars: dict[str, Path]) -> list[str]:
    return [
        f"[{name}]",
        *(f"{json.dumps(coordinate)} = {json.dumps(sha256_of(path))}" for coordinate, path in sorted(jars.items())),
    ]


if __name__ == "__main__":
    name, wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        lines = {"opensearch": opensearch, "elasticsearch": elasticsearch}[name](wanted, Repository(Path(folder)))
    (FOLDERS[name] / f"{name}-{wanted}.toml").write_text(lines, encoding="utf-8")
