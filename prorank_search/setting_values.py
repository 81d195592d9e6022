"""How the values of settings are written: "none", lists with commas, addresses, networks, devices."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

USER_INFO = re.compile(r"(?<=//)[^/@]*@")
"""The credentials in an address."""


def _none_by_name(value: object) -> object:
    return None if value == "none" else value


def _by_commas(value: object) -> object:
    return [name for part in value.split(",") if (name := part.strip())] if isinstance(value, str) else value


def _networks(value: object) -> object:
    given = _by_commas(value)
    try:
        return [str(ipaddress.ip_network(one, strict=False)) for one in given] if isinstance(given, list) else value
    except ValueError as error:
        raise ValueError("addresses or networks, such as 127.0.0.1, 10.0.0.0/8") from error


def _known_device(device: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise ValueError("auto, cpu, cuda, cuda:N or mps")
    return device


def _without_secrets(url: str | None) -> str | None:
    if url and USER_INFO.search(url):
        raise ValueError(
            "an address alone: credentials go into PRORANK_ENGINE_USERNAME and _PASSWORD, PRORANK_REMOTE_API_KEY, or "
            "PRORANK_API_KEY"
        )
    return url


def _known_prefix(prefix: str) -> str:
    if prefix and not re.fullmatch(r"(/[a-z0-9][a-z0-9._-]*)+", prefix):
        raise ValueError("a path such as /engine, in lower case and without a slash at its end, or empty")
    return prefix


def _no_file(path: Path) -> Path:
    nearest = next((place for place in (path, *path.parents) if place.exists()), path)
    if nearest.is_file():
        raise ValueError(f"a folder, and {nearest} is a file")
    return path


NoneByName = BeforeValidator(_none_by_name)
"""Reads the word "none", since neither a flag nor TOML has another way to say it."""

Url = Annotated[str | None, AfterValidator(_without_secrets), NoneByName]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_networks)]
Prefix = Annotated[str, AfterValidator(_known_prefix)]
Device = Annotated[str, AfterValidator(_known_device)]
FolderPath = Annotated[Path, AfterValidator(Path.expanduser)]
HomePath = Annotated[FolderPath, AfterValidator(_no_file)]
WindowSize = Annotated[int, Field(ge=1)] | Literal["auto"]
QueuedTokens = Annotated[int, Field(ge=1)] | Literal["auto"]
TimeoutS = Annotated[Annotated[float, Field(gt=0)] | None, NoneByName]
