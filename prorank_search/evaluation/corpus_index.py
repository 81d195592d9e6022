"""An index of a BEIR folder's corpus, made once for what the file holds."""

from __future__ import annotations

from pathlib import Path

from prorank_search import beir
from prorank_search.model_files import sha256_of
from prorank_search.protocols import IndexBackend


def corpus_index(folder: Path, analysis: str, backend: IndexBackend) -> str:
    """Return the name of an index of a folder's corpus, made now unless one of the very file is there.

    Args:
        folder: The BEIR folder.
        analysis: Name of the analysis preset.
        backend: Where it lies.

    Raises:
        InputError: The corpus is missing, or a line of it cannot be used.
        BackendError: It cannot be written.
    """
    index = f"corpus-{analysis}-{sha256_of(beir.corpus_path(folder))[:12]}"
    if index not in {info.name for info in backend.indexes()}:
        with backend.writer(index, analysis=analysis, replace=True) as writer:
            writer.add(beir.read_corpus(folder))
            writer.publish()
    return index
