"""A training recipe: one TOML file that says what a model is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    StringConstraints,
    ValidationError,
    model_validator,
)

from prorank_search.errors import ConfigError
from prorank_training.recipe_files import read_table


def _known_form(form: str) -> str:
    found = re.fullmatch(r"4-bit|low-rank-([1-9]\d*)(-4-bit)?", form)
    if found is None or (found[2] and int(found[1]) % 32):
        raise ValueError("4-bit, low-rank-R, or low-rank-R-4-bit with R a multiple of 32")
    return form


Form = Annotated[str, AfterValidator(_known_form)]
"""A name of `difference_forms`."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CollectionRecipe(_Table):
    """What is taken from one BEIR folder."""

    folder: str = Field(description="The BEIR folder, relative to the folder of collections.")
    analysis: str = Field(description="Analysis preset of the index that negatives come from.")
    language: str = Field(description="Language tag, for statistics.")
    groups: int = Field(ge=0, description="Training groups at most; 0: only dev queries are taken.")
    titles: int | None = Field(None, ge=1, description="Groups more, with a document's title as the query.")
    halves: int | None = Field(None, ge=1, description="Groups more, with a document's first half as the query.")


class IndexRecipe(_Table):
    """What is taken from an index and from files of judgments, relative to the folder of collections."""

    index: str = Field(description="The index: its documents, and where negatives come from. It is only read.")
    queries: str = Field(description="Queries: JSONL, CSV, or lines of an id, a tab and a text.")
    qrels: str = Field(description="Judgments to train on: TREC, BEIR or CSV.")
    dev_qrels: str | None = Field(None, description="Judgments of other queries, to choose by.")
    language: str = Field(description="Language tag, for statistics.")
    groups: int = Field(ge=0, description="Training groups at most; 0: only dev queries are taken.")


class JudgmentRecipe(_Table):
    """What is taken from a query set of this installation's judgment store, and from the index that it judges."""

    query_set: str = Field(description="The query set.")
    language: str = Field("und", description="Language tag, for statistics.")
    groups: int | None = Field(None, ge=0, description="Training groups at most; none: one for each relevant document.")
    relevant_from: int = Field(1, ge=1, description="Lowest grade of a positive; grades between it and 0 are not used.")
    held_back: float = Field(0.2, gt=0, lt=1, description="Share of the judged queries that become dev queries.")
    mistakes_of: str | None = Field(
        None,
        description="RESCORER or RESCORER:MODEL, by whose scores the judged irrelevant documents come, the highest "
        "first; none: by the first stage's ranks.",
    )


class DataRecipe(_Table):
    """How training groups are made."""

    collections: list[CollectionRecipe] = []
    indexes: list[IndexRecipe] | None = None
    judgments: list[JudgmentRecipe] | None = None
    first_rank: int = Field(2, ge=1, description="Best rank a hard negative may have.")
    last_rank: int = Field(50, description="Worst rank a hard negative may have.")
    hard_negatives: int = Field(6, ge=0)
    random_negatives: int = Field(3, ge=1)
    near_duplicate: float = Field(0.8, description="Word overlap (Jaccard) with a positive that drops a text.")
    dev_queries: int = Field(100, description="Dev queries a collection.")
    dev_window: int = Field(20, description="First-stage hits that are scored for a dev query.")
    seed: int = 1

    @model_validator(mode="after")
    def _check_ranks(self) -> DataRecipe:
        if self.last_rank < self.first_rank:
            raise ValueError(
                f"last_rank={self.last_rank} is a better rank than first_rank={self.first_rank}: no hit is between"
            )
        return self

    def languages(self) -> set[str]:
        """Return the languages that groups may have."""
        found = {row.language for row in self.collections} | {row.language for row in self.indexes or []}
        return found | {row.language for row in self.judgments or []}


class TeacherRecipe(_Table):
    """A rescorer that scores the groups' documents, for the model to learn from beside the judgments."""

    rescorer: str | dict[str, str] = Field(
        description="RESCORER or RESCORER:MODEL for all languages, or one for each language; languages that are not "
        "named have no teacher."
    )
    groups: int | None = Field(None, ge=1, description="Groups it scores, the first in training's order; None: all.")
    leave_out: list[str] | None = Field(
        None, description="Collections without a teacher, since their judgments rank better."
    )
    max_length_tokens: int | None = Field(None, ge=32, description="Tokens it reads of a text; None: all it can.")

    def rescorer_of(self, language: str) -> str | None:
        """Return the teacher of a language, or None."""
        return self.rescorer if isinstance(self.rescorer, str) else self.rescorer.get(language)


class WarmupRecipe(_Table):
    """Stage 1, prompt warm-up."""

    path: Literal["one-token", "trl"] = Field("one-token", description="The fast path, or TRL's trainer.")
    steps: int = Field(150, ge=1)
    queries_a_step: int = Field(8, ge=1, description="Queries a step, each with a relevant and an irrelevant document.")
    samples: int = Field(256, ge=2, description="Completions of each pair; TRL pays for every one.")
    objective: Literal["sampled", "expected"] = Field(
        "sampled", description="GRPO over samples, or what it comes to with ever more of them (one-token only)."
    )
    format_weight: float = Field(0.1, description="Weight of the format reward; correctness has 1.")
    balance_coef: float = Field(
        0.1, description="Weight of the squared mean log-odds of a pass: keeps both answers in play (one-token only)."
    )
    entropy_coef: float = Field(0.02, description="Weight of the entropy over all tokens (trl only).")
    priming_steps: int = Field(6, description="First steps that are supervised instead (one-token only).")
    end_pairs: int = Field(4, description="Pairs a step that also learn to end the answer (one-token only).")
    completion_tokens: int = Field(2, description="Tokens of a completion (trl only).")
    graded_format: bool = Field(default=False, description="Half a reward for what begins with a digit (trl only).")
    random_only_steps: int = Field(50, description="Steps with random negatives only, before hard ones come in.")
    hard_share: float = Field(0.5, ge=0, le=1, description="Share of hard negatives after that.")
    learning_rate: float = Field(6e-5, gt=0)
    rising_steps: int = Field(10, description="Steps over which the learning rate rises.")
    weight_decay: float = 0.01
    clip_norm: float = Field(1.0, gt=0)
    tokens_a_batch: int = Field(2048, ge=1)
    save_every_s: float = Field(300.0, description="Seconds between two states; TRL saves every `probe_every` steps.")
    probe_every: int = Field(10, ge=1, description="Steps between measurements on dev pairs.")
    probe_pairs: int = Field(64, description="Dev pairs in those.")


class ScoreRecipe(_Table):
    """Stage 2, fine-grained score learning."""

    steps: int = Field(ge=1, description="Steps in all; a run may be given more of them later, and goes on.")
    groups_a_step: int = Field(4, ge=1)
    negatives: int = Field(5, ge=1, description="Negatives of a group that are used.")
    random_only_steps: int = Field(40, description="Steps with random negatives only, before hard ones come in.")
    hard_share: float = Field(0.8, ge=0, le=1, description="Share of hard negatives after that.")
    document_tokens: dict[Annotated[str, StringConstraints(pattern="^[1-9][0-9]*$")], NonNegativeFloat] = Field(
        default_factory=lambda: {"96": 0.6, "192": 0.3, "384": 0.1},
        min_length=1,
        description="Tokens that documents are cut to, with the probability of each.",
    )
    learning_rate: float = Field(1.2e-4, gt=0)
    rising_steps: int = Field(40, description="Steps over which the learning rate rises; at most a fifth of all.")
    falling_steps: int = Field(100, ge=0, description="Last steps, over which it falls; at most a fifth of all.")
    weight_decay: float = 0.01
    clip_norm: float = Field(1.0, gt=0)
    listwise: Literal["softmax", "ranknet", "margin"] = Field(
        "softmax", description="Loss that puts the positive first."
    )
    pointwise_weight: float = Field(0.2, description="Weight of the binary cross-entropy beside the listwise loss.")
    teacher_weight: float = Field(
        0.5, ge=0, le=1, description="Share of the teacher in the listwise loss of a group it scored; 0: no teacher."
    )
    teacher_temperature: float = Field(0.04, gt=0, description="Divides the teacher's scores; 0.04 suits cosines.")
    teacher_margin: float = Field(
        0.0, ge=0, description="Negatives that the teacher puts higher above the positive than this are no negatives."
    )
    groups_a_pass: int | None = Field(
        None, ge=1, description="Groups whose activations are in memory at once; None: all of a step."
    )
    tokens_a_batch: int = Field(2048, ge=1)
    save_every_s: float = 900.0
    evaluate_every: int = Field(500, description="Steps between dev evaluations.")
    evaluate_queries: int = Field(20, description="Dev queries a collection in those.")

    @property
    def falls_from(self) -> int:
        """Steps after which the learning rate falls."""
        return self.steps - min(self.falling_steps, self.steps // 5)


class GoldenTexts(_Table):
    """The query and the texts that whoever loads the checkpoint scores, to see that it still tells them apart."""

    query: str = "How do bees make honey?"
    relevant: str = (
        "Bees gather nectar from flowers, carry it to the hive, and fan it with their wings until most of its water "
        "is gone: what is left in the comb is honey."
    )
    irrelevant: str = (
        "The night train from Vienna reaches Venice in eleven hours; a berth in the sleeping car has to be booked "
        "weeks ahead in summer."
    )


class ExportRecipe(_Table):
    """What the checkpoint is called, and what its difference to the base is rounded to."""

    name: str = Field("prorank-model", description="Name of the checkpoint.")
    license: str | None = Field(None, description="Licence of the difference; None: the base's.")
    form: Form = Field("low-rank-192-4-bit", description="What each matrix is rounded to.")
    golden_pair: GoldenTexts = GoldenTexts()


_NO_PART_OF_A_RUN: Any = {
    "export": True,
    "warmup": {"save_every_s", "probe_every", "probe_pairs"},
    "score": {"steps", "groups_a_pass", "tokens_a_batch", "save_every_s", "evaluate_every", "evaluate_queries"},
}
"""What may change while a run goes on: it decides on memory, looks and length, not on what a step learns."""


class Recipe(_Table):
    """All that decides what comes out of a training run."""

    base: str = Field(description="Name of the base model, or the folder of a checkpoint to go on from.")
    template: str | None = Field(None, description="The prompt; where not given, that of the base.")
    max_length_tokens: int = Field(512, description="Tokens of the whole prompt, in training and in the checkpoint.")
    query_max_tokens: int = Field(256, gt=0, description="Tokens that queries are cut to, in training as in serving.")
    seed: int = 1
    data: DataRecipe
    teacher: TeacherRecipe | None = Field(None, description="Left out: judgments alone are learned from.")
    warmup: WarmupRecipe | None = Field(None, description="Left out: training begins with stage 2.")
    score: ScoreRecipe
    export: ExportRecipe = ExportRecipe()

    @model_validator(mode="after")
    def _check_lengths(self) -> Recipe:
        if 2 * self.query_max_tokens > self.max_length_tokens:
            raise ValueError(
                f"query_max_tokens={self.query_max_tokens} is more than half of max_length_tokens="
                f"{self.max_length_tokens}: whoever loads the checkpoint cuts queries to that half"
            )
        return self

    def warmup_plan(self) -> WarmupRecipe:
        """Return the table of stage 1.

        Raises:
            ConfigError: The recipe has none.
        """
        if self.warmup is None:
            raise ConfigError("the recipe has no [warmup] table: add one (it may be empty), or leave stage 1 out")
        return self.warmup

    def digest(self) -> str:
        """Return 16 hex digits that change with all that training depends on, but for how long it goes on."""
        return _digest(self.model_dump_json(exclude=_NO_PART_OF_A_RUN, exclude_none=True))

    def data_digest(self) -> str:
        """Return 16 hex digits that change with all that groups and dev queries depend on."""
        return _digest(self.data.model_dump_json(exclude_none=True))


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ConfigError: The file, or one that it extends, is missing or is not TOML, or has a key or value that no recipe
            has.
    """
    return recipe_of(read_table(path), str(path))


def recipe_of(table: Mapping[str, Any], place: str) -> Recipe:
    """Return the recipe that a table holds.

    Args:
        table: What a recipe's file says.
        place: Where it stands, for messages.

    Raises:
        ConfigError: It has a key or value that no recipe has.
    """
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{place} is no recipe: {wrong}") from error
