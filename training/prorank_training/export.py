"""`prorank train export`: trained weights become a checkpoint, a small difference to the base with its contract."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save, save_file
from torch import Tensor

from prorank_search.checkpoint import Checkpoint, Contract, GoldenPair
from prorank_search.difference import apply_difference
from prorank_search.errors import CheckpointError, ConfigError
from prorank_search.model_files import ADAPTER_FILE, CONTRACT_FILE, NOTICE_FILE, read_facts
from prorank_search.prompt import PromptEncoder
from prorank_search.rescorers.prorank import ProRankRescorer
from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.device import choose_device, choose_dtype
from prorank_search.scoring.loading import Loaded
from prorank_search.scoring.torch_engine import TorchEngine
from prorank_search.scoring.verify import score_pair
from prorank_search.settings import Settings
from prorank_training.calibration import fit_calibration
from prorank_training.dev import choose_blend, results
from prorank_training.dev_scores import score_dev
from prorank_training.difference_forms import make_difference
from prorank_training.groups import DevQuery
from prorank_training.progress import Progress
from prorank_training.recipe import ExportRecipe, Recipe
from prorank_training.run_folder import RunFolder, Stage
from prorank_training.trainee import by_transformers_names, open_base, training_before

_TOLERANCE = {"float32": 0.02, "bfloat16": 0.5}
"""In nats. Products are summed in another order on another machine; bf16 has 8 bits."""

_CHANGED = "The weights here are a difference to those of {base}: they change it."


@dataclass(frozen=True, slots=True)
class Exported:
    """A model as it will be shipped.

    Attributes:
        recipe: What it was made by.
        base: Its base, in fp32.
        difference: What `adapter.safetensors` holds.
    """

    recipe: Recipe
    base: Checkpoint
    difference: Mapping[str, Tensor]

    def load(self, device: torch.device, dtype: torch.dtype) -> Loaded:
        """Return the model ready to score, as loading the written checkpoint would."""
        weights = apply_difference(self.base.weights, self.difference)
        encoder = PromptEncoder(
            self.base.tokenizer_file,
            self.base.template,
            self.recipe.max_length_tokens,
            self.recipe.query_max_tokens,
        )
        decoder = open_decoder(self.base.config, {name: tensor.to(device, dtype) for name, tensor in weights.items()})
        engine = TorchEngine(decoder, encoder.relevant_token, encoder.irrelevant_token)
        return Loaded(self.base, encoder, engine, "not written yet")


def run(  # noqa: PLR0913 (what an export is made of)
    recipe: Recipe,
    folder: RunFolder,
    dev: Sequence[DevQuery],
    settings: Settings,
    checkpoint: Path,
    progress: Progress,
    stage: Stage | None = None,
) -> Contract:
    """Write the checkpoint of what a run has trained so far.

    Args:
        recipe: The run's recipe.
        folder: The run.
        dev: Dev queries: blend and calibration are fitted on them.
        settings: Where the base lies and where to score.
        checkpoint: The checkpoint's folder; replaced whole where it is there.
        progress: Told of each dev query.
        stage: The stage whose weights are written; None: the last one that has saved any.

    Raises:
        InputError: The run, or this stage of it, has trained nothing yet.
        CheckpointError: The model does not tell the golden pair's texts apart.
        ConfigError: The folder holds something that is no checkpoint, or cannot be written.
    """
    if checkpoint.exists() and not (checkpoint / CONTRACT_FILE).is_file():
        raise ConfigError(f"{checkpoint} is there and is no checkpoint: name another folder with --out")
    base = open_base(recipe, settings)
    stage = stage or folder.last_stage()
    step, masters = folder.trained_weights(stage)
    trained = by_transformers_names(masters, base.config)
    exported = Exported(recipe, base, make_difference(base.weights, trained, recipe.export.form))
    scores = dev_scores(exported, dev, settings, folder.path / _scores_name(exported, dev, settings), progress)
    about = _training(recipe, folder.about(), stage, step) | {"before": training_before(recipe, settings)}
    contract = make_contract(exported, dev, scores, about)
    _write(checkpoint, contract, exported.difference, _base_facts(base).get("notice"))
    return contract


def dev_scores(
    exported: Exported, dev: Sequence[DevQuery], settings: Settings, file: Path, progress: Progress
) -> list[list[float]]:
    """Score the dev queries with a model as it will be shipped, on the device and in the dtype of the settings."""
    device = choose_device(settings.device)
    rescorer = ProRankRescorer(exported.load(device, choose_dtype(settings.dtype, device)))
    try:
        return score_dev(dev, rescorer, file, progress)
    finally:
        rescorer.close()


def make_contract(
    exported: Exported, dev: Sequence[DevQuery], scores: Sequence[Sequence[float]], training: dict[str, Any]
) -> Contract:
    """Return the contract of a model: blend and calibration fitted on dev, the golden pair measured in fp32."""
    recipe, base, facts = exported.recipe, exported.base, _base_facts(exported.base)
    blend = choose_blend(dev, scores)
    relevant = [relevance > 0 for query in dev for relevance in query.relevances]
    calibration = fit_calibration(list(chain.from_iterable(scores)), relevant)
    if calibration.a <= 0:
        raise CheckpointError(
            f"{recipe.export.name} scores irrelevant texts of the dev queries higher than relevant ones, by and large "
            f"(the probability falls with the score: a = {calibration.a:.3f}): train longer"
        )
    loaded = exported.load(torch.device("cpu"), torch.float32)
    return Contract(
        name=recipe.export.name,
        base=base.name,
        base_sha256=facts.get("sha256", ""),
        license=recipe.export.license or facts.get("license", "that of its base"),
        template=base.template,
        relevant_token_id=loaded.encoder.relevant_token,
        irrelevant_token_id=loaded.encoder.irrelevant_token,
        max_length_tokens=recipe.max_length_tokens,
        query_max_tokens=recipe.query_max_tokens,
        calibration=calibration,
        blend=blend,
        golden_pair=_golden_pair(recipe.export, loaded),
        training=training,
        results={"dev": {"measure": "nDCG@10", "collections": results(dev, scores, blend)}},
    )


def _golden_pair(recipe: ExportRecipe, loaded: Loaded) -> GoldenPair:
    texts = recipe.golden_pair
    relevant, irrelevant = score_pair(loaded.engine, loaded.encoder, texts.query, (texts.relevant, texts.irrelevant))
    if relevant <= irrelevant:
        raise CheckpointError(
            f"{recipe.name} scores the irrelevant text of the golden pair as high as the relevant one "
            f"({irrelevant:.2f} and {relevant:.2f}): train longer, or give export.golden_pair texts it can tell apart"
        )
    return GoldenPair(**texts.model_dump(), score_gap=relevant - irrelevant, tolerance=_TOLERANCE)


def _training(recipe: Recipe, about: Mapping[str, Any], stage: Stage, step: int) -> dict[str, Any]:
    groups_a_step = recipe.score.groups_a_step if stage == "score" else recipe.warmup_plan().queries_a_step
    return {
        "recipe_hash": about["recipe_hash"],
        "git_revision": about["git_revision"],
        "packages": about["packages"],
        "seed": recipe.seed,
        "teacher": about.get("teacher") if stage == "score" else None,
        "stages": ["warmup", "score"] if stage == "score" and recipe.warmup else [stage],
        "steps": step,
        "groups": step * groups_a_step,
        "difference": recipe.export.form,
    }


def _base_facts(base: Checkpoint) -> dict[str, Any]:
    return read_facts(base.tokenizer_file.parent)


def _scores_name(exported: Exported, dev: Sequence[DevQuery], settings: Settings) -> str:
    """Return the name of the file of scores: another one for other weights, other texts, another device or dtype."""
    device = choose_device(settings.device)
    digest = hashlib.sha256(save(dict(exported.difference)))
    digest.update(json.dumps([[query.query, query.texts] for query in dev]).encode())
    digest.update(f"{device} {choose_dtype(settings.dtype, device)}".encode())
    return f"dev-{digest.hexdigest()[:16]}.scores.jsonl"


def _write(folder: Path, contract: Contract, difference: Mapping[str, Tensor], notice: str | None) -> None:
    """Write the checkpoint beside its folder, then move it there whole."""
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(dict(difference), partial / ADAPTER_FILE)
        (partial / CONTRACT_FILE).write_text(contract.model_dump_json(indent=2) + "\n", encoding="utf-8")
        shutil.copymode(partial / CONTRACT_FILE, partial / ADAPTER_FILE)  # safetensors lets nobody else read it
        if notice:
            (partial / NOTICE_FILE).write_text(f"{notice}\n\n{_CHANGED.format(base=contract.base)}\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"the checkpoint cannot be written to {folder}: {error}") from error
