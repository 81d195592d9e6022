"""Settings: flags, then PRORANK_* variables, then prorank.toml, then the defaults below.

Built once in each entry point (`cli`, `serving`, `ui`) and passed on; nothing else reads the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_MODEL = "prorank-smollm2-135m"


def default_home() -> Path:
    """Return where caches and embedded indexes lie: $XDG_DATA_HOME/prorank, ~/.local/share/prorank without it."""
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local" / "share") / "prorank"


class Settings(BaseSettings):
    """What is in force. Each field is a flag (`--window-size`), a variable (PRORANK_WINDOW_SIZE) and a key of prorank.toml."""

    model_config = SettingsConfigDict(env_prefix="PRORANK_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home, description="Folder of models, caches and embedded indexes.")
    backend: str = Field("auto", description="First stage: auto, tantivy, opensearch, elasticsearch or a plugin.")
    url: str | None = Field(None, description="The engine's address; none means the embedded index.")
    rescorer: str = Field("prorank", description="Second stage: prorank, overlap or a plugin.")
    model: str = Field(DEFAULT_MODEL, description="A model's name, or the folder of a checkpoint.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the device multiplies it fast, else float32."
    )
    window_size: int | Literal["auto"] = Field("auto", description="First-stage hits that are rescored.")
    top_k: int = Field(10, ge=1, description="Hits returned.")
    timeout_s: float | None = Field(10.0, gt=0, description="Seconds a search may take; what is scored by then is used.")
    max_length_tokens: int | None = Field(None, ge=32, description="Tokens of the whole prompt; none: the model's own.")
    score_cache_mb: int = Field(512, ge=0, description="Bound of the rescore-score cache on disk; 0 switches it off.")
