from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prorank_ingest.readers import package
from prorank_search.protocols import BadRecord, Reader, ReaderOptions
from prorank_search.types import Document

SOURCE = '''"""Animals and their sounds."""

raise RuntimeError("this module must not be imported")

LEGS = 4


class Dog(Animal, loud=True):
    """A dog."""

    legs = LEGS

    def __init__(self, name):
        """Name it."""
        self.name = name

    @property
    def sound(self) -> str:
        """Say it."""
        return "woof"

    @sound.setter
    def sound(self, value): ...

    def _secret(self): return 1

    class Tail:
        def wag(self): "Wag."


if LEGS == 4:
    async def walk(distance: int, /, *, speed=1.0):
        # slowly
        def step():
            """Go one step."""
        return distance
else:
    def walk(): ...


@typing.overload
def feed(food: str): ...
def feed(food):
    return food


def _hidden(): ...
'''


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "prorank_zoo"
    for name in ("_private/inside.py", "tests/test_dog.py", "_own.py", "__main__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("def f(): ...\n", encoding="utf-8")
    (folder / "__init__.py").touch()
    (folder / "animals.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def reader_of(source: str, *, docstrings: bool = True) -> Reader:
    reader = package.open_reader(source, ReaderOptions(docstrings=docstrings))
    assert reader is not None
    return reader


def documents(source: str, *, docstrings: bool = True) -> dict[str, Document]:
    records = list(reader_of(source, docstrings=docstrings).read())
    found = {record.doc_id: record for record in records if isinstance(record, Document)}
    assert len(found) == len(records)
    return found


@pytest.mark.usefixtures("zoo")
def test_every_public_module_class_function_and_method_is_a_document_and_nothing_is_imported() -> None:
    kinds = {doc_id: document.metadata["kind"] for doc_id, document in documents("prorank_zoo").items()}
    assert kinds == {
        "prorank_zoo.animals": "module",
        "prorank_zoo.animals.Dog": "class",
        "prorank_zoo.animals.Dog.sound": "method",
        "prorank_zoo.animals.Dog.Tail": "class",
        "prorank_zoo.animals.Dog.Tail.wag": "method",
        "prorank_zoo.animals.walk": "function",
        "prorank_zoo.animals.feed": "function",
    }
    assert not any(name.startswith("prorank_zoo") for name in sys.modules)


@pytest.mark.usefixtures("zoo")
def test_a_function_holds_docstring_signature_and_code_together_in_its_text_and_apart_in_its_metadata() -> None:
    sound = documents("prorank_zoo")["prorank_zoo.animals.Dog.sound"]
    code = '@property\ndef sound(self) -> str:\n    return "woof"'
    assert sound == Document(
        "prorank_zoo.animals.Dog.sound",
        f"Say it.\n\n{code}",
        "prorank_zoo.animals.Dog.sound",
        {
            "docstring": "Say it.",
            "code": code,
            "signature": "def sound(self) -> str",
            "kind": "method",
            "file": "prorank_zoo/animals.py",
            "line": 18,
        },
    )


@pytest.mark.usefixtures("zoo")
def test_a_class_shows_its_own_code_and_the_signatures_of_its_methods() -> None:
    dog = documents("prorank_zoo")["prorank_zoo.animals.Dog"]
    lines = [line for line in str(dog.metadata["code"]).splitlines() if line.strip()]
    assert lines == [
        "class Dog(Animal, loud=True):",
        "    legs = LEGS",
        "    def __init__(self, name):",
        '        """Name it."""',
        "        self.name = name",
        "    def sound(self) -> str: ...",
        "    def sound(self, value): ...",
        "    def _secret(self): ...",
        "    class Tail: ...",
    ]


@pytest.mark.usefixtures("zoo")
def test_a_module_shows_what_stands_outside_its_definitions() -> None:
    code = str(documents("prorank_zoo")["prorank_zoo.animals"].metadata["code"])
    assert "LEGS = 4" in code
    assert "async def walk(distance: int, /, *, speed=1.0): ..." in code
    assert "slowly" not in code
    assert "Animals and their sounds" not in code


@pytest.mark.usefixtures("zoo")
def test_without_docstrings_none_is_left_in_any_text_but_the_metadata_have_them() -> None:
    found = documents("prorank_zoo", docstrings=False)
    texts = "\n".join(document.text for document in found.values())
    for docstring in ("Animals and", "A dog.", "Name it.", "Say it.", "Wag.", "Go one step."):
        assert docstring not in texts
    assert found["prorank_zoo.animals.Dog"].metadata["docstring"] == "A dog."
    assert found["prorank_zoo.animals.Dog.Tail.wag"].text.strip() == "def wag(self):"
    assert found["prorank_zoo.animals.walk"].text.startswith("async def walk(")


def test_a_submodule_can_be_named_and_its_package_is_not_run(zoo: Path) -> None:
    (zoo / "__init__.py").write_text("raise RuntimeError\n", encoding="utf-8")
    assert "prorank_zoo.animals.Dog" in documents("prorank_zoo.animals")


def test_a_module_that_is_not_python_is_named_and_the_rest_is_read(zoo: Path) -> None:
    (zoo / "broken.py").write_text("x = 1\ndef (:\n", encoding="utf-8")
    (zoo / "latin.py").write_bytes("x = 'é'\n".encode("latin-1"))
    (zoo / "null.py").write_bytes(b"x = 1\0\n")
    records = list(reader_of("prorank_zoo").read())
    bad = {Path(record.source).name: record for record in records if isinstance(record, BadRecord)}
    assert set(bad) == {"broken.py", "latin.py", "null.py"}
    assert bad["broken.py"].line == 2
    assert all("cannot be parsed as Python" in record.reason for record in bad.values())
    assert any(isinstance(record, Document) for record in records)


def test_the_declared_encoding_of_a_source_file_counts(zoo: Path) -> None:
    (zoo / "latin.py").write_bytes("# coding: latin-1\ndef f():\n    'café'\n".encode("latin-1"))
    assert documents("prorank_zoo")["prorank_zoo.latin.f"].text.startswith("café")


def test_a_form_feed_does_not_shift_the_code(zoo: Path) -> None:
    (zoo / "paged.py").write_text("x = 1\n\f\ndef f():\n    return '\x1c\u2028'\n", encoding="utf-8")
    assert documents("prorank_zoo")["prorank_zoo.paged.f"].text == "def f():\n    return '\x1c\u2028'"


@pytest.mark.usefixtures("zoo")
def test_a_run_that_goes_on_leaves_out_what_was_read() -> None:
    reader = reader_of("prorank_zoo")
    assert [list(reader.read(start)) for start in range(8)] == [list(reader.read())[start:] for start in range(8)]


def test_the_standard_library_is_read_under_one_name() -> None:
    reader = package.open_reader("stdlib", ReaderOptions())
    assert reader is not None
    wanted = {"json.dumps", "csv.DictReader", "os.walk", "os.path.join", "shutil.copyfile"}
    found = {record.doc_id for record in reader.read() if isinstance(record, Document)}
    assert wanted - found == {"os.path.join"}
    assert "posixpath.join" in found
    assert not any(name.split(".")[0] in {"test", "idlelib", "pydoc_data"} for name in found)


@pytest.mark.parametrize("source", ["sys", "no_such_package_at_all", "json/decoder.py", "json.nothing", "os.path"])
def test_what_has_no_python_source_of_that_name_is_left_to_other_readers(source: str) -> None:
    assert package.open_reader(source, ReaderOptions()) is None
