"""A suite: one TOML or JSON file that says which systems are measured side by side, and on what.

docs/evaluate.md describes the file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from prorank_search.errors import ConfigError
from prorank_search.evaluation.measures import check_measure
from prorank_search.setting_values import Device
from prorank_search.settings import check_keys
from prorank_search.storage.toml_files import read_toml
from prorank_search.types import Blend, Normalize

FIRST_STAGE = "first_stage"
"""What the first stage's own score is called among the weights of a system."""

DEV = "dev"
"""The split that choices are made on."""


def _known_keys(blend: object) -> object:
    if isinstance(blend, Mapping):
        check_keys(blend, [field.name for field in fields(Blend)], place="blend")
    return blend


def _known_measure(name: str) -> str:
    try:
        return check_measure(name)
    except ConfigError as error:
        raise ValueError(str(error)) from error


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteCollection(_Table):
    """Queries with judgments, and the documents that answer them."""

    folder: str | None = Field(None, description="The BEIR folder, relative to the folder of collections.")
    query_set: str | None = Field(None, description="In its place: a query set of the judgment store.")
    queries: str | None = Field(None, description="In its place, with `qrels` and `index`: a file of queries.")
    qrels: str | None = Field(None, description="The judgments of these queries, a file.")
    language: str = Field(description="What the collection is averaged with, such as english, code or chinese.")
    index: str | None = Field(None, description="The index to search; none: one of the suite's own, made when missing.")
    analysis: str = Field("auto", description="Analysis preset of the suite's own index.")
    split: str | None = Field(None, description="Which judgments; none: the suite's.")
    limit_queries: int | None = Field(None, ge=1, description="Queries at most; none: the suite's.")
    window_size: int | None = Field(None, ge=1, description="First-stage hits that are rescored; none: the suite's.")
    apart: bool = Field(default=False, description="Whether it is shown, but counted in no mean.")

    @property
    def name(self) -> str:
        """What the collection is called in tables."""
        if self.qrels is not None:
            return Path(self.qrels).name.partition(".")[0]
        return self.query_set or Path(self.folder or "").name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.folder, self.query_set, self.qrels)) != 1:
            raise ValueError("a collection has a `folder`, a `query_set` or files of `queries` and `qrels`: give one")
        if (self.queries is None) != (self.qrels is None) or (self.qrels is not None and self.index is None):
            raise ValueError("files of `queries` and `qrels` stand together, with the `index` to search")
        return self


class SuiteRescorer(_Table):
    """A second stage; what is left out is what the settings say."""

    rescorer: str = Field(description="Name of the rescorer.")
    model: str | None = Field(None, description="A model's name, or the folder of a checkpoint.")
    models: dict[str, str] = Field(default_factory=dict, description="Another model for collections of a language.")
    device: Device | None = None
    dtype: Literal["auto", "float32", "bfloat16"] | None = None
    max_length_tokens: int | None = Field(None, ge=32)
    instruction: str | None = Field(None, description="What counts as relevant; none: what the index's profile says.")

    def model_for(self, language: str) -> str | None:
        """Return the model that scores collections of a language."""
        return self.models.get(language, self.model)


class Pick(_Table):
    """A stage of a cascade: one rescorer picks the hits that the system's own rescorers are to score."""

    rescorer: str
    window_size: int = Field(ge=1, description="First-stage hits that are picked from.")
    keep: int = Field(ge=1, description="Hits that are picked.")


class System(_Table):
    """One way to order candidates. Without rescorers it is the first stage."""

    name: str
    rescorers: list[str] = Field(default_factory=list, description="Names of the suite's rescorers.")
    blend: Annotated[Blend | None, BeforeValidator(_known_keys)] = Field(
        None, description="How one rescorer's score and the first stage's become one; none: the rescorer's own way."
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="Of each rescorer and `first_stage` in a weighted sum; 1 where not given."
    )
    normalize: Normalize = Field("zscore", description="What each score goes through before the weighted sum.")
    pick: Pick | None = None
    window_size: int | None = Field(
        None, ge=1, description="First-stage hits that are rescored; none: the collection's."
    )
    hard_answers: bool = Field(default=False, description="Only whether a score is above 0 counts.")
    metrics: str | None = Field(None, description="JSON or JSONL with what was measured of the answers themselves.")
    metrics_step: int | None = Field(None, description="Which step's line of a JSONL file; none: the last.")

    @property
    def fused(self) -> bool:
        """Whether scores are summed by weights, not blended."""
        return len(self.rescorers) > 1 or bool(self.weights)

    @model_validator(mode="after")
    def _one_way_only(self) -> Self:
        if self.blend is not None and (self.fused or not self.rescorers):
            raise ValueError(
                f"system {self.name!r}: `blend` is for one rescorer without `weights`; several are summed by `weights`"
            )
        if self.pick is not None and not self.rescorers:
            raise ValueError(f"system {self.name!r}: what `pick` keeps is scored by `rescorers`, and there are none")
        if self.window_size is not None and (self.pick is not None or not self.rescorers):
            raise ValueError(f"system {self.name!r}: `window_size` is for rescorers without `pick`, which has its own")
        unknown = set(self.weights) - {FIRST_STAGE, *self.rescorers, *([self.pick.rescorer] if self.pick else [])}
        if unknown:
            raise ValueError(f"system {self.name!r} weighs {', '.join(sorted(unknown))}, which it does not use")
        return self


class Suite(_Table):
    """Systems side by side: the same queries and candidates for each."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="What its section of the report is called.")
    title: str
    split: str = "test"
    limit_queries: int | None = Field(None, ge=1, description="Queries of each collection at most; none: all.")
    seed: int = Field(0, description="Of the choice of queries.")
    window_size: int = Field(30, ge=1, description="First-stage hits that are rescored.")
    windows: list[int] = Field(default_factory=list, description="Smaller windows to measure with the same scores.")
    measures: list[Annotated[str, AfterValidator(_known_measure)]] = Field(
        default_factory=list, description="Measures besides the usual ones, such as map@100."
    )
    timed_queries: int = Field(0, ge=0, description="Queries of each collection scored once more to take the time.")
    rival: str | None = Field(None, description="A system that every other one is compared with, too.")
    rescorers: dict[str, SuiteRescorer] = Field(default_factory=dict)
    collections: list[SuiteCollection] = Field(min_length=1)
    systems: list[System] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        _once("collection", (collection.name for collection in self.collections))
        _once("system", (system.name for system in self.systems))
        if FIRST_STAGE in self.rescorers:
            raise ValueError(f"no rescorer may be called {FIRST_STAGE}: that is BM25's score")
        for system in self.systems:
            for name in rescorers_of(system):
                if name not in self.rescorers:
                    raise ValueError(f"system {system.name!r} names the rescorer {name!r}, which [rescorers] lacks")
        if all(collection.apart for collection in self.collections):
            raise ValueError("every collection stands apart: at least one has to be counted in the means")
        if self.rival is not None:
            self.system(self.rival)
        return self

    def system(self, name: str) -> System:
        """Return a system by its name.

        Raises:
            ValueError: There is none.
        """
        found = [system for system in self.systems if system.name == name]
        if not found:
            raise ValueError(f"no system {name!r}; there are {', '.join(system.name for system in self.systems)}")
        return found[0]

    def split_of(self, collection: SuiteCollection) -> str:
        """Return which judgments of a collection count."""
        return collection.split or self.split

    def window_of(self, collection: SuiteCollection) -> int:
        """Return how many hits of a collection are rescored."""
        return collection.window_size or self.window_size


def rescorers_of(system: System) -> list[str]:
    """Return the names of all rescorers that a system uses, the one that picks first.

    Example:
        >>> rescorers_of(System(name="a", rescorers=["b"], pick=Pick(rescorer="c", window_size=50, keep=12)))
        ['c', 'b']
    """
    picker = [system.pick.rescorer] if system.pick else []
    return list(dict.fromkeys([*picker, *system.rescorers]))


def read_suite(path: Path) -> Suite:
    """Read a suite; what a program writes may be JSON (`.json`).

    Raises:
        ConfigError: The file is missing, is neither TOML nor JSON, or has a key or value that no suite has.
    """
    table = _read_json(path) if path.suffix == ".json" else read_toml(path, "suite")
    try:
        return Suite.model_validate(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(_complaint(problem["loc"], problem["msg"]) for problem in error.errors())
        raise ConfigError(f"{path} is no suite: {wrong}") from error


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the suite {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error


def _complaint(place: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, place))}: {message}" if place else message


def _once(kind: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"each {kind} needs a name of its own; several are called {', '.join(twice)}")
