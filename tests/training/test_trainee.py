from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prorank_search.errors import ConfigError
from prorank_search.settings import Settings
from prorank_training.trainee import by_transformers_names, open_base, open_trainee
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


@pytest.mark.parametrize(
    ("model_type", "template"), [("llama", "prorank-prefix-v1"), ("gemma3_text", "prorank-prefix-gemma-v1")]
)
def test_a_model_is_trained_and_written_with_the_prompt_that_is_its_own(
    tmp_path: Path, model_type: str, template: str
) -> None:
    settings, recipe = tiny_training.settings(tmp_path, model_type), tiny_training.recipe()
    assert open_trainee(recipe, settings).encoders[16].template.name == template
    assert open_base(recipe, settings).template == template


def test_another_prompt_than_the_models_is_refused(tmp_path: Path) -> None:
    recipe = tiny_training.recipe().model_copy(update={"template": "prorank-prefix-v1"})
    with pytest.raises(ConfigError, match=r"asked with the prompt 'prorank-prefix-gemma-v1'.*leave `template` out"):
        open_trainee(recipe, tiny_training.settings(tmp_path, "gemma3_text"))


def test_a_base_from_the_hub_goes_by_its_id(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "org--tiny")
    recipe = tiny_training.recipe().model_copy(update={"base": "org/tiny"})
    assert open_base(recipe, tiny_training.settings(tmp_path)).name == "org/tiny"


@pytest.mark.model
def test_training_goes_on_from_the_shipped_model_by_its_name(shared_home: Path) -> None:
    recipe = tiny_training.recipe().model_copy(update={"base": "prorank-smollm2-135m"})
    settings = Settings(home=shared_home, device="cpu")
    changed = "model.layers.0.mlp.down_proj.weight"
    base = open_base(recipe, settings)
    trainee = by_transformers_names(open_trainee(recipe, settings).decoder.parameters(), base.config)
    assert base.name == "smollm2-135m"
    assert not torch.equal(trainee[changed].float(), base.weights[changed].bfloat16().float())
    name = "model.embed_tokens.weight"
    assert torch.equal(trainee[name].float(), base.weights[name].bfloat16().float())
