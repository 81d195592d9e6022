"""Opens all that a recipe takes groups from: BEIR folders, indexes, and judgments of this installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prorank_search.judgments import FILE_NAME, JudgmentStore
from prorank_search.search import load_backend
from prorank_search.settings import Settings
from prorank_training.collection import Collection, open_folder, open_index
from prorank_training.judged_collection import open_judgments
from prorank_training.recipe import DataRecipe
from prorank_training.teacher import open_named


def open_all(recipe: DataRecipe, root: Path, settings: Settings) -> Iterator[Collection]:
    """Open a recipe's sources, one after another; folders are indexed apart, no index of the user's is written to.

    Args:
        recipe: Names them.
        root: The folder of the collections, and of files of judgments.
        settings: Where indexes and judgments lie.

    Raises:
        InputError: One of them is missing or cannot be used.
    """
    own = {"home": settings.home / "training", "backend": "tantivy", "url": None}
    backend = load_backend(settings.model_copy(update=own))
    for folder in recipe.collections:
        yield open_folder(folder, root, backend)
    for index in recipe.indexes or []:
        yield open_index(index, root, load_backend(settings))
    for judged in recipe.judgments or []:
        rescorer = open_named(judged.mistakes_of, settings) if judged.mistakes_of else None
        yield open_judgments(judged, JudgmentStore(settings.home / FILE_NAME), load_backend(settings), rescorer)
