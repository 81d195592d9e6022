"""What a search asks of the second stage, by the `rescore.prorank` block or otherwise, as a frozen plan. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from prorank_search.errors import InputError
from prorank_search.profiles import GatewayOptions, Profile
from prorank_search.serving.gateway import query_text, texts
from prorank_search.serving.gateway.json_spans import Span, members, with_members, without_members
from prorank_search.serving.model_sources import model_of
from prorank_search.settings import Settings
from prorank_search.types import Blend, Normalize, ScoreMode

Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value")

_KEY = "prorank"
_LONGEST_PATH = _LONGEST_NAME = 1000


def _few_steps(path: str) -> str:
    if path.count(".") >= texts.MOST_STEPS:
        raise PydanticCustomError("steps", "a path has at most {most} steps", {"most": texts.MOST_STEPS})
    return path


_Path = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(_few_steps)]
_BLEND_KEYS = {"normalize", "score_mode", "query_weight", "rescore_query_weight"}


class Block(BaseModel):
    """`rescore.prorank` as it is written in a search body; what it leaves out, the index's profile says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    query_text: str | None = None
    query_text_path: _Path | None = None
    fields: Annotated[list[_Path], Field(min_length=1, max_length=texts.MOST_PATHS)] | None = None
    template: str | None = None
    missing: texts.Missing | None = None
    normalize: Normalize | None = None
    score_mode: ScoreMode | None = None
    query_weight: float | None = None
    rescore_query_weight: float | None = None
    min_score: float | None = None
    min_probability: Annotated[float, Field(ge=0, le=1)] | None = None
    instruction: str | None = None
    timeout_s: Annotated[float, Field(gt=0)] | None = None
    on_failure: Literal["keep", "error"] | None = None
    mode: Literal["apply", "shadow"] | None = None
    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    model: Annotated[str, Field(max_length=_LONGEST_NAME)] | None = None
    passages: Annotated[int, Field(ge=1)] | None = None


class Stage(BaseModel):
    """A stage of `rescore` that is ours."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    window_size: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None
    prorank: Block


class _QueryContext(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    query_text: str | None = None
    query_text_path: _Path | None = None


@dataclass(frozen=True)
class Search:
    """A search as a client sent it.

    Attributes:
        index: As it stands in the path, or in the header of its line in `_msearch`; empty: none.
        text: The body's JSON.
        params: What stands in the URL, or in that header.
    """

    index: str
    text: str = "{}"
    params: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def members(self) -> dict[str, Span]:
        """The body's members.

        Raises:
            ValueError: The body is no object.
        """
        return members(self.text)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body."""
        return {key: span.value for key, span in self.members.items()}

    def without(self, *keys: str) -> Search:
        """Return the same search without some members of its body."""
        gone = [key for key in keys if key in self.members]
        return replace(self, text=without_members(self.text, gone)) if gone else self

    def with_members(self, **new: object) -> Search:
        """Return the same search with members of its body set."""
        text = with_members(self.text, {key: json.dumps(value) for key, value in new.items()})
        return replace(self, text=text)


@dataclass(frozen=True, slots=True)
class RescoreWish:
    """What a search says of rescoring.

    Attributes:
        search: The search without it, as the engine is to have it.
        block: What it says; an empty one where only the profile asks.
        window_size: Its window; None: it names none.
        explicit: Whether the search itself asks for rescoring, so that what cannot be done is a fault.
    """

    search: Search
    block: Block
    window_size: int | Literal["auto"] | None
    explicit: bool


@dataclass(frozen=True, slots=True)
class RescorePlan:
    """How one search is rescored; everything that its order depends on, but for the model.

    Attributes:
        query_text: What the rescorer is asked.
        texts: Where the texts of hits come from.
        window_size: First-stage hits that are rescored.
        blend: How both scores become one; None: the model's own way.
        min_score: Rescored hits below it are left out, and the tail.
        min_probability: The same of the calibrated probability.
        instruction: What counts as relevant.
        timeout_s: Seconds for the whole search; None: nobody waits.
        on_failure: `keep` answers in the engine's order where the rescorer fails, `error` with a fault.
        mode: `apply` or `shadow`.
        percent: Share of queries that the mode is for.
        model: Its name; None: the service's own.
        explicit: See `RescoreWish`.
    """

    query_text: str
    texts: texts.TextSource
    window_size: int | Literal["auto"] = "auto"
    blend: Blend | None = None
    min_score: float | None = None
    min_probability: float | None = None
    instruction: str | None = None
    timeout_s: float | None = None
    on_failure: Literal["keep", "error"] = "keep"
    mode: Literal["apply", "shadow"] = "apply"
    percent: float = 100.0
    model: str | None = None
    explicit: bool = True


def wish_of(search: Search, profile: Profile | None) -> RescoreWish | None:
    """Return what a search says of rescoring; None where neither it nor a profile asks for any.

    Args:
        search: The search.
        profile: Of its index; None: there is none.

    Raises:
        InputError: It says what is not understood, or what cannot be together.
    """
    stage, search = _own_stage(search)
    context, search = _query_context(search)
    if stage is None and context is None and (profile is None or profile.gateway.mode == "off"):
        return None
    block = stage.prorank if stage else Block()
    if context is not None and block.query_text is None and block.query_text_path is None:
        block = block.model_copy(update=dict(context))
    if block.query_text is not None and block.query_text_path is not None:
        raise InputError("[query_text] and [query_text_path] are both given: leave out one")
    if block.fields is not None and block.template is not None:
        raise InputError("[fields] and [template] are both given: leave out one")
    return RescoreWish(
        search, block, stage.window_size if stage else None, explicit=stage is not None or context is not None
    )


def plan_of(wish: RescoreWish, profile: Profile, settings: Settings) -> RescorePlan | None:
    """Return how a search is rescored; None where it looks for no text, and only the profile asks.

    Raises:
        InputError: It cannot be.
    """
    block, ours = wish.block, profile.gateway
    asked = _query_text(wish, ours.query_text_path)
    if not asked:
        return None
    return RescorePlan(
        query_text=asked,
        texts=_texts(block, profile),
        window_size=_window_size(wish, profile, settings),
        blend=_blend(block, profile),
        min_score=_first(block.min_score, ours.min_score),
        min_probability=_first(block.min_probability, ours.min_probability),
        instruction=_first(block.instruction, profile.instruction),
        timeout_s=_timeout_s(block, profile, settings),
        on_failure=block.on_failure or profile.on_failure,
        mode=block.mode or ("shadow" if ours.mode == "shadow" else "apply"),
        percent=_percent(block, ours),
        model=_first(block.model, model_of(settings, profile)),
        explicit=wish.explicit,
    )


def _own_stage(search: Search) -> tuple[Stage | None, Search]:
    """Return our part of `rescore`, and the search without it; the engine's own stages before it stay."""
    rescore = search.body.get("rescore")
    stages = rescore if isinstance(rescore, list) else [rescore]
    ours = [stage for stage in stages if isinstance(stage, Mapping) and _KEY in stage]
    if not ours:
        return None, search
    if len(ours) > 1 or stages[-1] is not ours[0]:
        raise InputError("[rescore] has [prorank] more than once, or not as its last stage: put it last, once")
    stage = _validated(Stage, ours[0], "rescore")
    rest = search.without("rescore")
    return stage, rest.with_members(rescore=stages[:-1]) if len(stages) > 1 else rest


def _query_context(search: Search) -> tuple[_QueryContext | None, Search]:
    """Return what `ext.rerank` says, and the search without it; it is the engine's where a pipeline of it reads it."""
    ext = search.body.get("ext")
    piped = "search_pipeline" in search.params or "search_pipeline" in search.body
    if piped or not isinstance(ext, Mapping) or not isinstance(ext.get("rerank"), Mapping):
        return None, search
    context = _validated(_QueryContext, ext["rerank"].get("query_context", {}), "ext.rerank.query_context")
    rest = search.without("ext")
    others = {key: value for key, value in ext.items() if key != "rerank"}
    return context, rest.with_members(ext=others) if others else rest


def _validated(model: type[Model], given: object, place: str) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InputError(_told(model, problem["type"], problem["loc"], problem["msg"], place)) from error


def _told(model: type[BaseModel], kind: str, steps: tuple[int | str, ...], message: str, place: str) -> str:
    """Return what is wrong with a key; of one that is not known, the nearest one that is."""
    path = ".".join([place, *(str(step) for step in steps[:-1] if step == _KEY)])
    if kind != "extra_forbidden":
        path = ".".join([place, *(str(step) for step in steps if step in _KEYS)])
        return f"[{path}]: {message[:1].lower()}{message[1:]}"
    known = list((Block if _KEY in steps[:-1] else model).model_fields)
    key = str(steps[-1])[:80]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    advice = f"did you mean [{near[0]}]?" if near else f"known are {', '.join(known)}"
    return f"[{path}] unknown field [{key}], {advice}"


_KEYS = {*Block.model_fields, *Stage.model_fields}


def _query_text(wish: RescoreWish, path_of_profile: str | None) -> str:
    block, body = wish.block, wish.search.body
    if block.query_text is not None:
        found = block.query_text.strip()
        where = "[query_text] is empty"
    elif path := block.query_text_path or path_of_profile:
        found = query_text.text_at(body, path)
        where = f"[query_text_path] [{path[:80]}] leads to no text"
    else:
        found = query_text.text_in(body) or ("" if "query" in body else wish.search.params.get("q", "").strip())
        where = "the query has no text that could be looked for, or too many: give [query_text]"
    if not found and wish.explicit:
        raise InputError(where)
    return found


def _texts(block: Block, profile: Profile) -> texts.TextSource:
    missing = block.missing or profile.gateway.missing
    if block.fields is not None:
        return texts.from_fields(tuple(block.fields), missing, block.passages)
    if block.template is not None:
        return texts.from_template(block.template, missing, block.passages)
    return texts.from_profile(profile, missing, block.passages)


def _blend(block: Block, profile: Profile) -> Blend | None:
    given = block.model_dump(include=_BLEND_KEYS, exclude_none=True)
    if not given:
        return profile.blend
    try:
        return replace(profile.blend or Blend(), **given)
    except ValueError as error:
        raise InputError(f"[rescore.prorank] needs {error}") from error


def _percent(block: Block, ours: GatewayOptions) -> float:
    """Return the share of queries; a mode that the search itself names is for all of them, unless it says more."""
    if block.percent is not None:
        return block.percent
    return ours.percent if block.mode is None else 100.0


def _window_size(wish: RescoreWish, profile: Profile, settings: Settings) -> int | Literal["auto"]:
    window = wish.window_size
    if window is None:
        by_hand = profile.window_size is None or settings.is_by_hand("window_size")
        window = settings.window_size if by_hand else profile.window_size
        return "auto" if not window or window == "auto" else min(window, settings.max_texts)
    if isinstance(window, int) and window > settings.max_texts:
        raise InputError(f"[window_size] is {window}: at most {settings.max_texts} hits are rescored (max_texts)")
    return window


def _timeout_s(block: Block, profile: Profile, settings: Settings) -> float | None:
    if block.timeout_s is not None:
        return block.timeout_s
    if profile.timeout_s is None or settings.is_by_hand("timeout_s"):
        return settings.timeout_s
    return None if profile.timeout_s == "none" else profile.timeout_s


def _first(*values: Value | None) -> Value | None:
    return next((value for value in values if value is not None), None)
