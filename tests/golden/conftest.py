from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.tiny_qwen2 import write_checkpoint
from tests.tiny_model import write_answers


@pytest.fixture(scope="session")
def tiny_qwen2(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder: Qwen2 with the real vocabulary and the weights that `mxbai.json` was made with."""
    vocabulary = repository / ".cache" / "qwen.tiktoken"
    if not vocabulary.is_file():
        pytest.fail(f"{vocabulary} is missing: run 'python tests/golden/fetch_qwen_vocabulary.py' ('make test' does)")
    return write_answers(write_checkpoint(vocabulary, tmp_path_factory.mktemp("tiny-qwen2")))
