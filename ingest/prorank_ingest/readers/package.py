"""Python packages by import name, and the whole standard library as `stdlib`: read, never imported."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from itertools import islice
from pathlib import Path

from prorank_ingest.source_code import Module, read_module
from prorank_ingest.source_files import fingerprint
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

_STDLIB = "stdlib"
_NO_LIBRARY = frozenset({"antigravity", "idlelib", "lib2to3", "pydoc_data", "test", "this", "turtledemo"})
_SKIPPED_PARTS = frozenset({"test", "tests", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Package:
    """Reads the public modules of some packages, in the order of their names."""

    names: tuple[str, ...]
    search_path: tuple[str, ...] | None
    docstrings: bool

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield a document for every public module, class, function and method."""
        documents = (record for module in self._modules() for record in read_module(module, docstrings=self.docstrings))
        return islice(documents, start, None)

    def fingerprint(self) -> str:
        """Change when a module does."""
        return fingerprint(module.path for module in self._modules())

    def _modules(self) -> Iterator[Module]:
        for name in self.names:
            yield from _modules(name, self.search_path)


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of a package's or module's Python source, where one of that name can be imported."""
    if source == _STDLIB:
        paths = sysconfig.get_paths()
        names = tuple(sorted(name for name in sys.stdlib_module_names - _NO_LIBRARY if not name.startswith("_")))
        return Package(names, (paths["stdlib"], paths["platstdlib"]), options.docstrings)
    if not all(part.isidentifier() for part in source.split(".")):
        return None
    reader = Package((source,), None, options.docstrings)
    return reader if _places(source, None) else None


def _modules(name: str, search_path: Sequence[str] | None) -> Iterator[Module]:
    for place in _places(name, search_path):
        root = place.parents[name.count(".")]
        if place.is_file():
            yield Module(name, place, place.relative_to(root).as_posix())
        for path in sorted(place.rglob("*.py")):
            parts = path.relative_to(place).with_suffix("").parts
            inner = parts[:-1] if parts[-1] == "__init__" else parts
            if not any(part.startswith("_") or part in _SKIPPED_PARTS or not part.isidentifier() for part in inner):
                yield Module(".".join((name, *inner)), path, path.relative_to(root).as_posix())


def _places(name: str, search_path: Sequence[str] | None) -> list[Path]:
    """Return the file of a module or the folders of a package, without importing it or its parents."""
    parent, _, _ = name.rpartition(".")
    path = [str(place) for place in _places(parent, search_path)] if parent else search_path
    spec = PathFinder.find_spec(name, path)
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
