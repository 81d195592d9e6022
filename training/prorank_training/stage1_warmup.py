"""Stage 1, prompt warm-up, by the stock path: TRL's GRPOTrainer. The only module that imports trl and datasets.

The trainer is used as it comes: the whole model goes in, two reward functions beside it, and a callback of ours writes
its logs and measures what it does not: KL to the base without a reference model, and all else that `Probe` knows.
Compare `one_token_warmup`, the fast path for answers of one token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from prorank_search.checkpoint import Checkpoint
from prorank_search.errors import ConfigError, RescorerError
from prorank_search.prompt import PromptEncoder
from prorank_search.scoring.architectures import open_decoder
from prorank_search.scoring.decoder import Decoder
from prorank_training.answer_probe import Probe
from prorank_training.answer_turns import digit_turn, output_head
from prorank_training.groups import DevQuery, Group
from prorank_training.one_token_warmup import STAGE
from prorank_training.pairs import Pair, dev_pairs, training_pairs
from prorank_training.progress import Progress
from prorank_training.recipe import Recipe, WarmupRecipe
from prorank_training.rewards import correctness_reward, format_reward, graded_format_reward
from prorank_training.run_folder import RunFolder
from prorank_training.trainee import FROZEN, Trainee, by_transformers_names, put_weights
from prorank_training.training_loop import GradientWatch

_NAMES = {
    "loss": "loss",
    "grad_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "rewards/format_reward/mean": "format_reward",
    "rewards/graded_format_reward/mean": "format_reward",
    "rewards/correctness_reward/mean": "correctness_reward",
    "frac_reward_zero_std": "zero_variance",
}
"""TRL's names of what is logged, and ours."""


def run(  # noqa: PLR0913 (what a stage is made of)
    trainee: Trainee,
    base: Checkpoint,
    groups: Sequence[Group],
    dev: Sequence[DevQuery],
    recipe: Recipe,
    folder: RunFolder,
    progress: Progress,
) -> None:
    """Warm a model up with TRL, then copy its weights into the trainee, in place.

    Args:
        trainee: The model.
        base: Where its configuration and its tokenizer lie.
        groups: The training groups.
        dev: Dev queries; the probe's pairs are drawn from them.
        recipe: What to do.
        folder: Where state and metrics go; TRL's own checkpoints in `trl/`; one that is there is gone on from.
        progress: Called after each step.

    Raises:
        RescorerError: The gradient is infinite or not a number, which TRL would follow; the last good state is kept.
        ConfigError: The trainer would spread the model over several GPUs.
    """
    plan = recipe.warmup_plan()
    if torch.cuda.device_count() > 1 and output_head(trainee.decoder).is_cuda:
        raise ConfigError("TRL's trainer would take all GPUs that it sees: set CUDA_VISIBLE_DEVICES to one of them")
    finished = folder.load_state(STAGE)  # only the end saves one
    if finished is not None:
        put_weights(trainee.decoder, finished["masters"])
        return
    encoder = trainee.encoders[min(trainee.encoders)]
    dev_sample = dev_pairs(dev, plan.probe_pairs, recipe.seed)
    probe = Probe(encoder, dev_sample, plan.tokens_a_batch, base=trainee.decoder)
    model = open_model(trainee.decoder, base.config)
    tokenizer = open_tokenizer(base.tokenizer_file, encoder)
    pairs = [pair for some in training_pairs(groups, plan, recipe.seed) for pair in some]
    output = folder.path / "trl"
    done = _steps_done(output)
    folder.forget_after(STAGE, done or -1)
    if not done:
        folder.log(STAGE, {"step": 0, "probe": probe.measure(trainee.decoder)})

    def measure() -> dict[str, float]:
        put_weights(trainee.decoder, weights_of(model, base.config))
        return probe.measure(trainee.decoder)

    rewards: list[Callable[..., Any]] = [
        graded_format_reward if plan.graded_format else format_reward,
        correctness_reward,
    ]
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[*rewards],
        args=trainer_config(plan, recipe.seed, output, output_head(trainee.decoder)),
        train_dataset=prompts(pairs, encoder, tokenizer),
        processing_class=tokenizer,
        callbacks=[Watch(plan, folder, progress, measure)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(output / f"checkpoint-{done}") if done else None)
    masters = {name: weight for name, weight in weights_of(model, base.config).items() if name not in FROZEN}
    put_weights(trainee.decoder, masters)
    folder.save_state(STAGE, {"step": plan.steps, "masters": masters})


def _steps_done(output: Path) -> int:
    """Return the step of TRL's last checkpoint; one whose state, which is written last, is missing was cut off."""
    return max(
        (int(state.parent.name.rpartition("-")[2]) for state in output.glob("checkpoint-*/trainer_state.json")),
        default=0,
    )


def open_model(decoder: Decoder, config: Mapping[str, Any]) -> PreTrainedModel:
    """Return the same model in transformers, in fp32, its embedding and head frozen as in stage 2."""
    model: PreTrainedModel = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(**config), dtype=torch.float32, attn_implementation="sdpa"
    )
    weights = {name: weight.detach() for name, weight in decoder.parameters().items()}
    missing, unknown = model.load_state_dict(by_transformers_names(weights, config), strict=False)
    if unknown or any(name not in FROZEN for name in missing):
        raise RescorerError(f"weights that transformers does not know: {unknown}; that it misses: {missing}")
    model.tie_weights()
    for name, weight in model.named_parameters():
        weight.requires_grad_(name not in FROZEN)
    return model


def open_tokenizer(file: Path, encoder: PromptEncoder) -> PreTrainedTokenizerFast:
    """Return the tokenizer as TRL wants it: nothing put before a text, the end of a turn as the end of a completion."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.post_processor = None
    end = tokenizer.id_to_token(encoder.end_token)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, pad_token=end, padding_side="left")


def prompts(pairs: Sequence[Pair], encoder: PromptEncoder, tokenizer: PreTrainedTokenizerFast) -> Dataset:
    """Return the pairs as TRL wants them: a text and the judgment.

    TRL tokenizes texts itself. A pair whose prompt would come to other ids that way (a document with special tokens in
    its text, or cut inside a character) is left out.
    """
    rows = []
    for pair in pairs:
        turn = digit_turn(encoder, pair)
        ids = [*turn.prefix, *turn.ids]
        text = tokenizer.decode(ids)
        if tokenizer(text)["input_ids"] == ids:
            rows.append({"prompt": text, "judgment": pair.judgment})
    return Dataset.from_list(rows)


def trainer_config(plan: WarmupRecipe, seed: int, output: Path, weight: Tensor) -> GRPOConfig:
    """Return TRL's configuration: no KL penalty, one update for each generation, a prompt's samples as one batch.

    Args:
        plan: The recipe's table.
        seed: Of the samples.
        output: Where TRL's checkpoints go.
        weight: A weight of the trainee: products are computed on its device and in its dtype.
    """
    return GRPOConfig(
        output_dir=str(output),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.samples,
        gradient_accumulation_steps=2 * plan.queries_a_step,
        num_generations=plan.samples,
        max_completion_length=plan.completion_tokens,
        beta=0.0,
        reward_weights=[plan.format_weight, 1.0],
        entropy_coef=plan.entropy_coef,
        shuffle_dataset=False,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=plan.rising_steps,
        weight_decay=plan.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=plan.clip_norm,
        gradient_checkpointing=False,
        bf16=weight.dtype == torch.bfloat16,
        use_cpu=weight.device.type == "cpu",
        seed=seed,
        logging_steps=1,
        save_steps=plan.probe_every,
        save_total_limit=1,
        disable_tqdm=True,
        report_to="none",
    )


class Watch(TrainerCallback):
    """Writes what TRL logs into the run's metrics, and adds the probe's.

    Args:
        plan: The recipe's table.
        folder: Where metrics go.
        progress: Told of each step.
        measure: The probe on the model as it stands.
    """

    def __init__(
        self, plan: WarmupRecipe, folder: RunFolder, progress: Progress, measure: Callable[[], dict[str, float]]
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._progress = progress
        self._measure = measure
        self._began = time.monotonic()
        self._gradients = GradientWatch(STAGE, allowed=0)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **_others: object,
    ) -> None:
        """Take one step's logs."""
        del args, control
        if not logs or "loss" not in logs:  # the summary after the last step
            return
        metrics: dict[str, Any] = {ours: logs[theirs] for theirs, ours in _NAMES.items() if theirs in logs}
        self._gradients.is_good(state.global_step, metrics["gradient_norm"])
        metrics = {"step": state.global_step, **metrics, "seconds": round(time.monotonic() - self._began, 2)}
        if state.global_step == self._plan.steps or state.global_step % self._plan.probe_every == 0:
            metrics["probe"] = self._measure()
        self._folder.log(STAGE, metrics)
        self._progress(state.global_step, self._plan.steps, metrics)
        self._began = time.monotonic()


def weights_of(model: PreTrainedModel, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a transformers model's weights by the names that our decoder has for them."""
    return open_decoder(config, {name: weight.detach() for name, weight in model.state_dict().items()}).parameters()
