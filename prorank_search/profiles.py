"""How one index is searched: its search profile, a `[profiles.INDEX]` table of prorank.toml.

docs/configuration.md describes the table.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from prorank_search.errors import ConfigError
from prorank_search.model_text import METADATA, layout_of
from prorank_search.stored_documents import to_source
from prorank_search.types import Blend, Document, Query, RescorerInfo, SearchRequest, SourcePaths

if TYPE_CHECKING:
    from prorank_search.settings import Settings


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How the gateway treats searches of an index that do not say it themselves.

    Attributes:
        mode: `apply` rescores, `shadow` only counts how hits would move, `off` leaves the engine's order.
        percent: Share of the queries that are rescored, or counted; the others keep the engine's order.
        query_text_path: Where the query's text stands in a search body; None: it is looked for.
        missing: What becomes of a hit without text: `empty` scores it as an empty one, `skip` leaves it unscored,
            `error` refuses the search.
        min_score: Rescored hits below it are left out, and the tail.
        min_probability: The same of the calibrated probability.
    """

    mode: Literal["apply", "shadow", "off"] = "apply"
    percent: float = 100.0
    query_text_path: str | None = None
    missing: Literal["empty", "skip", "error"] = "empty"
    min_score: float | None = None
    min_probability: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:  # noqa: PLR2004 (a percentage)
            raise ConfigError(f"gateway percent = {self.percent}: it is between 0 and 100")


@dataclass(frozen=True, slots=True)
class Profile:
    """How one index is searched.

    `rescorer`, `model`, `chain`, `window_size` and `timeout_s` are settings as well: `load_settings(index=...)` puts
    the profile's value into the settings, where a flag or a variable goes before it.

    Attributes:
        fields: Field to boost; None: title and text, 1.0 each.
        body: The engine's own query body, `{{query}}` for the text.
        filter: Metadata field to the value, or any of the values, it must have.
        source: Where an index that somebody else built keeps id, title and text.
        dfs: Scores use word counts of the whole index, not of each shard.
        template: The text that the model sees: `{title}`, `{text}`, `{metadata[key]}`; a key that a document lacks
            is an empty string, a list's values are lines, and what is no text is JSON. None: the title, where there is
            one, above the text.
        instruction: What counts as relevant, where a model takes such a thing.
        rescorer: Name of the second stage.
        model: A model's name, or the folder of a checkpoint.
        chain: The rescorers of the rescorer `chain`.
        window_size: First-stage hits that are rescored: "auto" or a number.
        passages_per_hit: Passages of each document that are scored, in an index of passages; None: as the rescorer
            recommends, 3 on an accelerator and 1 on a CPU.
        blend: How both scores become one; None: the model's own way.
        timeout_s: Seconds a search may take; "none" in the file for no limit.
        on_failure: `keep` answers in first-stage order when the rescorer fails, `error` raises.
        gateway: What the search gateway does with searches of this index.

    Raises:
        ConfigError: The template is not one, or a value of the filter is a table.
    """

    fields: Mapping[str, float] | None = None
    body: Mapping[str, object] | None = None
    filter: Mapping[str, object] | None = None
    source: SourcePaths | None = None
    dfs: bool = False
    template: str | None = None
    instruction: str | None = None
    rescorer: str | None = None
    model: str | None = None
    chain: tuple[Mapping[str, object], ...] | None = None
    window_size: int | Literal["auto"] | None = None
    passages_per_hit: int | None = None
    blend: Blend | None = None
    timeout_s: float | Literal["none"] | None = None
    on_failure: Literal["keep", "error"] = "keep"
    gateway: GatewayOptions = GatewayOptions()

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.template is not None:
            _check_template(self.template)
        if self.passages_per_hit is not None and self.passages_per_hit < 1:
            raise ConfigError(f"passages_per_hit = {self.passages_per_hit}: at least one of each document is scored")
        for field, wanted in (self.filter or {}).items():
            if isinstance(wanted, Mapping):
                raise ConfigError(f"filter {field} = {wanted!r}: it has to be a value, or a list of values")

    def request(self, index: str, query: Query, top_k: int, second_stage: RescorerInfo | None = None) -> SearchRequest:
        """Return what the first stage is asked for to search an index this way.

        Args:
            index: Name of the index.
            query: The query.
            top_k: Hits wanted.
            second_stage: Who will score them; None: nobody, so the best passage of each document is enough.
        """
        passages = 1 if second_stage is None else self.passages_per_hit or second_stage.passages_per_hit
        return SearchRequest(
            index,
            query,
            top_k,
            fields=self.fields,
            filter=self.filter,
            body=self.body,
            source=self.source,
            dfs=self.dfs,
            passages_per_hit=passages,
        )

    def text_of(self, document: Document) -> str:
        """Return the text that the model sees of a document.

        Example:
            >>> Profile(template="{title}: {text}").text_of(Document("1", "It barks.", title="Dog"))
            'Dog: It barks.'
        """
        return layout_of(self.template, None).text(to_source(document))


def load_profiles(path: Path | None) -> dict[str, Profile]:
    """Read all search profiles of a settings file, by the name of their index.

    Raises:
        ConfigError: An unknown key or a value that cannot be used, with file and key.
    """
    from prorank_search.settings import read_config, table

    profiles = table(read_config(path).get("profiles", {}), f"{path}: profiles")
    return {name: _profile(profile, f"{path} [profiles.{name}]") for name, profile in profiles.items()}


def profile_for(settings: Settings, index: str, query_body: Path | None = None) -> Profile:
    """Return the search profile of an index; an empty one where the settings file has none for it.

    Args:
        settings: What is in force.
        index: Name of the index.
        query_body: A JSON file with the engine's own query body, which goes before the profile's.

    Raises:
        ConfigError: A profile of the file, or the query body, cannot be used.
    """
    profile = load_profiles(settings.config).get(index, Profile())
    return profile if query_body is None else replace(profile, body=_read_body(query_body))


def _read_body(path: Path) -> Mapping[str, object]:
    from prorank_search.settings import table

    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"the query body {str(path)!r} cannot be read as JSON: {error}") from error
    return table(body, f"query body {str(path)!r}")


def _profile(given: object, place: str) -> Profile:
    from pydantic import TypeAdapter, ValidationError

    from prorank_search.settings import check_keys, explain, table

    values = table(given, place)
    check_keys(values, [field.name for field in fields(Profile)], place=place)
    for key, inner in (("blend", Blend), ("source", SourcePaths), ("gateway", GatewayOptions)):
        given_keys = table(values.get(key, {}), f"{place}: {key}")
        check_keys(given_keys, [field.name for field in fields(inner)], place=f"{place} {key}")
    try:
        return TypeAdapter(Profile).validate_python(values)
    except ValidationError as error:
        raise ConfigError(explain(error, values, dict.fromkeys(values, place))) from error
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error


def _check_template(template: str) -> None:
    allowed = "allowed are {title}, {text} and {metadata[KEY]}; write {{ and }} for braces"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"template {template!r}: {error}: {allowed}") from error
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if spec or conversion or not (name in {"title", "text"} or METADATA.fullmatch(name)):
            field = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise ConfigError(f"template {template!r}: unknown field {{{field}}}: {allowed}")
