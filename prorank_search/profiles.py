"""How one index is searched: its search profile, read from the `[profiles.NAME]` tables of prorank.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from prorank_search.types import Blend, Document


class BlendProfile(BaseModel):
    """How both scores become one; see `prorank_search.blend`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score_mode: Literal["replace", "total", "multiply", "avg", "max", "min", "rrf"] = "replace"
    normalize: Literal["none", "zscore", "minmax"] = "none"
    query_weight: float = 1.0
    rescore_query_weight: float = 1.0

    def to_blend(self) -> Blend:
        """Return the same as the type that the blending functions take."""
        return Blend(self.score_mode, self.normalize, self.query_weight, self.rescore_query_weight)


class Profile(BaseModel):
    """How one index is searched. What is None here is taken from the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: dict[str, float] | None = Field(None, description="Field to boost.")
    body: dict[str, object] | None = Field(None, description="The engine's own query body, {{query}} for the text.")
    filter: dict[str, object] | None = Field(None, description="Metadata field to value or values.")
    template: str | None = Field(None, description="The text that the model sees: {title}, {text}, {metadata[key]}.")
    instruction: str | None = Field(None, description="What counts as relevant.")
    rescorer: str | None = None
    model: str | None = None
    window_size: int | Literal["auto"] | None = None
    blend: BlendProfile | None = None
    timeout_s: float | None = None
    on_failure: Literal["keep", "error"] = "keep"

    def text_of(self, document: Document) -> str:
        """Return the text that the model sees of a document.

        Example:
            >>> Profile(template="{title}: {text}").text_of(Document("1", "It barks.", title="Dog"))
            'Dog: It barks.'
        """
        if self.template is None:
            return f"{document.title}\n{document.text}" if document.title else document.text
        return self.template.format(title=document.title, text=document.text, metadata=document.metadata)
