from __future__ import annotations

from pathlib import Path

from prorank_training.trainee import open_base, open_trainee
from tests.tiny_model import write_model
from tests.training import tiny_training


def test_training_cuts_queries_as_the_checkpoint_will_and_documents_as_the_recipe_says(tmp_path: Path) -> None:
    recipe = tiny_training.recipe()
    encoders = open_trainee(recipe, tiny_training.settings(tmp_path)).encoders
    assert {tokens: encoder.query_max_tokens for tokens, encoder in encoders.items()} == {16: 24, 32: 24}
    for query in ("fox", "where is the fox " * 9):
        prefix = encoders[16].prefix(query)
        assert prefix.truncated == (query != "fox")
        document = encoders[16].documents(["the whale swims in the sea " * 9], len(prefix.ids))[0]
        assert len(document.ids) - encoders[16].tail_tokens == 16


def test_a_base_from_the_hub_goes_by_its_id(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "org--tiny")
    recipe = tiny_training.recipe().model_copy(update={"base": "org/tiny"})
    assert open_base(recipe, tiny_training.settings(tmp_path)).name == "org/tiny"
