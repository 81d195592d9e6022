from __future__ import annotations

import subprocess
import sys

import pytest

import prorank_search
from prorank_search import plugins

HEAVY = ("torch", "transformers", "streamlit", "tantivy", "scipy", "ir_measures", "datasets", "trl")


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after `statement`."""
    code = f"{statement}\nimport sys\nsys.stdout.write(' '.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in answer.stdout.split()}


@pytest.mark.parametrize("name", prorank_search.__all__)
def test_every_public_name_exists_and_is_explained(name: str) -> None:
    assert getattr(prorank_search, name).__doc__


@pytest.mark.parametrize("statement", ["import prorank_search", "import prorank_search.cli"])
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize("kind", ["backends", "rescorers", "readers", "commands"])
def test_every_registered_plugin_can_be_imported(kind: plugins.Kind) -> None:
    assert [name for name in plugins.installed(kind) if not callable(plugins.load(kind, name))] == []
