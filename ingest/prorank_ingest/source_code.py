"""Python source into documents, by its syntax tree: nothing is imported, nothing is run."""

from __future__ import annotations

import ast
import textwrap
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prorank_search.encodable import encodable
from prorank_search.protocols import BadRecord
from prorank_search.types import Document

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.ExceptHandler)


@dataclass(frozen=True, slots=True)
class Module:
    """Where a module's source lies: its dotted name, its path, and the path below the folder it is imported from."""

    name: str
    path: Path
    file: str


def read_module(module: Module, *, docstrings: bool) -> Iterator[Document | BadRecord]:
    """Yield a document for the module and for each public class, function and method in it.

    A document's text is its docstring and its code, which begins with the signature. What is defined in a module or
    a class stands in the code of that module or class as a signature only, but for a class's `__init__`. Of several
    definitions of one name (a property and its setter, a fallback under `else`) the first one counts; overloads do
    not. A module with neither docstring nor code of its own is no document.

    Args:
        module: Where the source lies.
        docstrings: Whether docstrings stand in the text. The metadata hold docstring and code apart either way.
    """
    try:
        source = _parse(module, docstrings=docstrings)
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        yield BadRecord(str(module.path), line, f"cannot be parsed as Python: {error}")
        return
    own = _document(source, module.name, source.tree, "module")
    if own.metadata["docstring"] or own.metadata["code"]:
        yield own
    yield from _members(source, module.name, source.tree)


@dataclass(frozen=True, slots=True)
class _Source:
    tree: ast.Module
    lines: list[str]
    file: str
    docstrings: bool


def _parse(module: Module, *, docstrings: bool) -> _Source:
    with tokenize.open(module.path) as file:
        text = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text, filename=str(module.path))
    return _Source(tree, text.split("\n"), module.file, docstrings)


def _members(source: _Source, parent: str, tree: ast.Module | ast.ClassDef) -> Iterator[Document]:
    seen = set()
    for node in _definitions(tree):
        if node.name.startswith("_") or node.name in seen or _is_overload(node):
            continue
        seen.add(node.name)
        name = f"{parent}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield _document(source, name, node, "class")
            yield from _members(source, name, node)
        else:
            yield _document(source, name, node, "method" if isinstance(tree, ast.ClassDef) else "function")


def _definitions(parent: ast.AST) -> Iterator[_Definition]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, _Definition):
            yield node
        elif isinstance(node, _BLOCKS):
            yield from _definitions(node)


def _is_overload(node: _Definition) -> bool:
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return "overload" in names


def _document(source: _Source, name: str, node: ast.Module | _Definition, kind: str) -> Document:
    docstring = encodable(ast.get_docstring(node) or "")
    code = _code(source, node)
    shown = [docstring, code] if source.docstrings else [code]
    metadata = {
        "docstring": docstring,
        "code": code,
        "signature": "" if isinstance(node, ast.Module) else _signature(node),
        "kind": kind,
        "file": source.file,
        "line": 1 if isinstance(node, ast.Module) else node.lineno,
    }
    return Document(name, "\n\n".join(filter(None, shown)), name, metadata)


def _signature(node: _Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in [*node.bases, *node.keywords])
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{word} {node.name}({ast.unparse(node.args)}){returns}"


def _code(source: _Source, node: ast.Module | _Definition) -> str:
    """Return the code as it stands in the file, without docstring, definitions shortened to their signatures."""
    first, last = _line_range(node, source.lines)
    shown = {number: source.lines[number - 1] for number in range(first, last + 1)}
    for documented in [node] if source.docstrings else ast.walk(node):
        if isinstance(documented, ast.Module | _Definition):
            _cut_docstring(shown, documented)
    if not isinstance(node, _Function):
        for child in _definitions(node):
            if child.name != "__init__":
                _shorten(shown, child)
    return textwrap.dedent("\n".join(shown.values())).strip("\n")


def _line_range(node: ast.Module | _Definition, lines: list[str]) -> tuple[int, int]:
    if isinstance(node, ast.Module):
        return 1, len(lines)
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.end_lineno or node.lineno


def _cut_docstring(shown: dict[int, str], node: ast.Module | _Definition) -> None:
    if ast.get_docstring(node, clean=False) is None:
        return
    literal = node.body[0]
    last = literal.end_lineno or literal.lineno
    before = shown[literal.lineno].encode()[: literal.col_offset].decode()
    after = shown[last].encode()[literal.end_col_offset :].decode()
    shown[literal.lineno] = before + after
    for number in range(literal.lineno if not (before + after).strip() else literal.lineno + 1, last + 1):
        del shown[number]


def _shorten(shown: dict[int, str], node: _Definition) -> None:
    first, last = _line_range(node, [])
    indent = shown[first][: -len(shown[first].lstrip())]
    shown[first] = f"{indent}{_signature(node)}: ..."
    for number in range(first + 1, last + 1):
        shown.pop(number, None)
