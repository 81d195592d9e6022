"""What a ProRank checkpoint is: base weights, a small difference to them, and `prorank.json`, the contract.

The contract says what the weights were trained to do and how to see that they still do it. Weights without one (a
bare base, a reranker of somebody else's) can be loaded too, but are said to be `untrained` or `foreign`. Their files
decide which, never the name of a folder: a reranker is what sentence-transformers would read a score from answer tokens
of, or what was pulled from a repository of the released ProRank models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from prorank_search.difference import apply_difference
from prorank_search.errors import CheckpointError
from prorank_search.model_files import (
    ADAPTER_FILE,
    ANSWERS_FILE,
    CONTRACT_FILE,
    FACTS_FILE,
    read_facts,
    read_json,
    scores_by_answers,
    sha256_of,
    weights_sha256,
)
from prorank_search.prompt import TEMPLATES, PromptEncoder
from prorank_search.types import Blend, Calibration

State = Literal["prorank", "untrained", "foreign"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoldenPair(_Part):
    """A query with a relevant and an irrelevant text: whoever loads the checkpoint scores both."""

    query: str
    relevant: str
    irrelevant: str
    score_gap: float = Field(
        gt=0, description="score(relevant) - score(irrelevant), as measured when it was saved, in nats."
    )
    tolerance: dict[str, float] = Field(description="What the gap may differ by, for each dtype.")


class Contract(_Part):
    """`prorank.json`."""

    format: Literal[1] = 1
    name: str
    base: str = Field(description="Name of the base model; empty where the weights lie beside the contract.")
    base_sha256: str = Field("", description="sha256 of what the base was made from, as the registry of models has it.")
    license: str = Field(description="Licence of the difference.")
    template: str
    relevant_token_id: int
    irrelevant_token_id: int
    max_length_tokens: int = Field(gt=0)
    query_max_tokens: int = Field(gt=0)
    calibration: Calibration | None = None
    blend: Blend | None = Field(None, description="The blend with the first stage that was best on dev.")
    golden_pair: GoldenPair
    exits: list[int] = Field(default_factory=list, description="Layers with a trained early exit.")
    training: dict[str, Any] = Field(description="Recipe hash, git revision, stages, teacher.")
    results: dict[str, Any] = Field(default_factory=dict, description="What was measured.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint in memory.

    Attributes:
        name: Name of the model.
        state: `prorank`, or why its scores mean little.
        config: The base's `config.json`.
        weights: Tensors by their names in `transformers`, the difference added.
        tokenizer_file: The base's `tokenizer.json`.
        template: Name of the prompt template.
        contract: None unless the state is `prorank`.
        revision: Changes whenever contract, difference or base change.
    """

    name: str
    state: State
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    tokenizer_file: Path
    template: str
    contract: Contract | None
    revision: str

    @property
    def calibration(self) -> Calibration | None:
        """How scores become probabilities."""
        return self.contract.calibration if self.contract else None

    @property
    def blend(self) -> Blend | None:
        """The blend that the checkpoint was tuned for."""
        return self.contract.blend if self.contract else None

    def encoder(self, max_length_tokens: int | None = None) -> PromptEncoder:
        """Return the prompt of this checkpoint.

        Args:
            max_length_tokens: Tokens of the whole prompt; None: what the contract says, 512 without one.

        Raises:
            CheckpointError: The tokenizer's answer tokens are not those of the contract, or its template is unknown.
            ConfigError: `max_length_tokens` leaves no room for a document.
        """
        contract = self.contract
        file, expected = self._expected_answers()
        length = max_length_tokens or (contract.max_length_tokens if contract else 512)
        query = min(contract.query_max_tokens, length // 2) if contract else None
        if self.template not in TEMPLATES:
            raise CheckpointError(
                f"{self.name}: template is {self.template!r} in {CONTRACT_FILE}, which nobody here knows"
            )
        encoder = PromptEncoder(self.tokenizer_file, self.template, length, query)
        if expected and expected != (encoder.relevant_token, encoder.irrelevant_token):
            raise CheckpointError(
                f"{self.name}: relevant_token_id and irrelevant_token_id are {expected[0]}, {expected[1]} in {file}, "
                f"{encoder.relevant_token}, {encoder.irrelevant_token} for the answers 1 and 0 in "
                f"{self.tokenizer_file}: it was trained on another base, or on other answers"
            )
        return encoder

    def _expected_answers(self) -> tuple[str, tuple[int, int] | None]:
        """Return the ids of the relevant and the irrelevant answer that the files name, and the file that does."""
        if self.contract:
            return CONTRACT_FILE, (self.contract.relevant_token_id, self.contract.irrelevant_token_id)
        file = self.tokenizer_file.parent / ANSWERS_FILE
        if self.state != "foreign" or not file.is_file():
            return "", None
        answers = read_json(file)
        return ANSWERS_FILE, (answers.get("true_token_id", -1), answers.get("false_token_id", -1))


def read_contract(folder: Path) -> Contract | None:
    """Read a folder's `prorank.json`; None where there is none.

    Raises:
        CheckpointError: It is not a contract; the message names the line that fails.
    """
    file = folder / CONTRACT_FILE
    if not file.is_file():
        return None
    try:
        return Contract.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise CheckpointError(f"{file} is no contract: {wrong}") from error


def load(name: str, folder: Path, base_folder: Path, dtype: torch.dtype) -> Checkpoint:
    """Load a checkpoint into memory on the CPU.

    Args:
        name: Name of the model, for messages.
        folder: Where the contract and the difference lie; of a model without contract, where its weights lie.
        base_folder: Where the base weights lie; the same folder for a model without a base.
        dtype: Of the weights returned. The difference is added in fp32.

    Raises:
        CheckpointError: A file is missing or unreadable, or the base is not the one of the contract.
    """
    contract = read_contract(folder)
    config = read_json(base_folder / "config.json")
    weights = _read_weights(base_folder)
    if contract and contract.base:
        _check_base(contract, base_folder)
        difference = _load_file(folder / ADAPTER_FILE)
        weights = apply_difference(weights, difference)
    state: State = "prorank" if contract else "foreign" if scores_by_answers(base_folder) else "untrained"
    return Checkpoint(
        name=contract.name if contract else name,
        state=state,
        config=config,
        weights={key: tensor.to(dtype) for key, tensor in weights.items()},
        tokenizer_file=base_folder / "tokenizer.json",
        template=contract.template if contract else _template_for(config, state),
        contract=contract,
        revision=_revision(folder, base_folder),
    )


def _template_for(config: Mapping[str, Any], state: State) -> str:
    if state == "foreign":
        return "mxbai-rerank-v2"
    return "prorank-prefix-gemma-v1" if config.get("model_type") == "gemma3_text" else "prorank-prefix-v1"


def _check_base(contract: Contract, base_folder: Path) -> None:
    found = str(read_facts(base_folder).get("sha256", ""))
    if contract.base_sha256 and found and found != contract.base_sha256:
        raise CheckpointError(
            f"{contract.name}: base_sha256 is {contract.base_sha256} in {CONTRACT_FILE}, {found} in "
            f"{base_folder / FACTS_FILE}: "
            f"pull the base again ('prorank models pull {contract.base}')"
        )


def _read_weights(folder: Path) -> dict[str, Tensor]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CheckpointError(f"{folder} has no *.safetensors: it is no model's folder")
    weights: dict[str, Tensor] = {}
    for file in files:
        weights.update(_load_file(file))
    return weights


def _load_file(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}): pull or train the model again") from error


def _revision(folder: Path, base_folder: Path) -> str:
    """Return a digest of all that a score hangs on in a checkpoint's files."""
    files = (folder / CONTRACT_FILE, folder / ADAPTER_FILE, base_folder / "config.json", base_folder / "tokenizer.json")
    digest = hashlib.sha256(weights_sha256(base_folder).encode())
    for file in filter(Path.is_file, files):
        digest.update(f"{file.name} {sha256_of(file)}\n".encode())
    return digest.hexdigest()[:16]
