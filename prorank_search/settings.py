"""Settings: flags, then PRORANK_* variables, then prorank.toml, then the model that was promoted, then the defaults.

Built once in each entry point (`cli`, `serving`, `ui`) by `load_settings` and passed on; nothing else reads the
environment. docs/configuration.md describes the file.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from prorank_search import promotions
from prorank_search.errors import ConfigError
from prorank_search.setting_values import (
    USER_INFO,
    Device,
    FolderPath,
    HomePath,
    Names,
    Networks,
    NoneByName,
    Prefix,
    QueuedTokens,
    TimeoutS,
    Url,
    WindowSize,
)

DEFAULT_MODEL = "prorank-smollm2-135m"
FILE_NAME = "prorank.toml"
ENV_PREFIX = "PRORANK_"
FOREIGN_VARIABLES = ("PRORANK_REQUIRE_ENGINES",)
"""Variables of the tests, which are no settings."""


SECRETS = ("engine_password", "engine_api_key", "remote_api_key", "api_key")
"""Settings that no message shows."""


def default_home() -> Path:
    """Return where caches and embedded indexes lie: $XDG_DATA_HOME/prorank, ~/.local/share/prorank without it."""
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local" / "share") / "prorank"


class ChainPart(BaseModel):
    """One rescorer of the rescorer `chain`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rescorer: str = Field(description="Its name.")
    model: str | None = Field(None, description="Its model; none: the one that the settings name.")
    max_length_tokens: int | None = Field(
        None, ge=32, description="Where it cuts a text; none: `max_length_tokens` of the settings."
    )
    keep: int | None = Field(None, ge=1, description="Texts that it leaves to the next one; none: all.")
    weight: float | None = Field(
        None, ge=0, description="Of its z-score in the chain's score; none: 1 for the last one, 0 for the others."
    )

    def __str__(self) -> str:
        return ":".join(str(said) for said in (self.model or self.rescorer, self.keep, self.weight) if said is not None)


def _parts_of(value: object) -> object:
    value = json.loads(value) if isinstance(value, str) else value
    for part in value if isinstance(value, Sequence) else ():
        if isinstance(part, Mapping):
            check_keys(part, ChainPart.model_fields, place="chain")
    return value


class Settings(BaseSettings):
    """What is in force.

    Each field is a flag (`--window-size`), a variable (PRORANK_WINDOW_SIZE) and a key of prorank.toml (`window_size`).
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    home: HomePath = Field(default_factory=default_home, description="Folder of models, caches and embedded indexes.")
    config: FolderPath | None = Field(None, description="The file that was read; none where there is no prorank.toml.")
    backend: str = Field("auto", description="First stage: auto, tantivy, opensearch, elasticsearch or a plugin.")
    url: Url = Field(
        None, description="The engine's address, several with commas between; none means the embedded index."
    )
    engine_username: Annotated[str | None, NoneByName] = Field(
        None, description="User of the engine, with engine_password."
    )
    engine_password: SecretStr | None = Field(None, description="The user's password.")
    engine_api_key: SecretStr | None = Field(None, description="Encoded API key of the engine, in place of a user.")
    engine_ca_certs: Annotated[FolderPath | None, NoneByName] = Field(
        None, description="Certificates that the engine's is checked against."
    )
    engine_client_cert: Annotated[FolderPath | None, NoneByName] = Field(
        None, description="Client certificate for the engine."
    )
    engine_client_key: Annotated[FolderPath | None, NoneByName] = Field(
        None, description="Its key, where it is a file of its own."
    )
    engine_aws_region: Annotated[str | None, NoneByName] = Field(
        None, description="Sign requests for AWS (SigV4) in this region."
    )
    engine_aws_service: Literal["es", "aoss"] = Field("es", description="AWS service that requests are signed for.")
    engine_timeout_s: float = Field(30.0, gt=0, description="Seconds to wait for each of the engine's answers.")
    engine_attempts: int = Field(4, ge=1, description="How often a request is tried when a connection is lost.")
    rescorer: str = Field("prorank", description="Second stage: prorank, a rival, overlap or a plugin.")
    model: str = Field(DEFAULT_MODEL, description="A model's name, or the folder of a checkpoint.")
    chain: Annotated[tuple[ChainPart, ...], BeforeValidator(_parts_of)] = Field(
        (), description="The rescorers of the rescorer chain, in the order in which they score."
    )
    remote_url: Url = Field(
        None, description="The rerank server that the rescorer remote asks, with its path, such as /v2/rerank."
    )
    remote_shape: Literal["auto", "prorank", "cohere", "tei", "vllm"] = Field(
        "auto", description="What it speaks: prorank, cohere (Jina too), tei, vllm; auto: by its path."
    )
    remote_api_key: SecretStr | None = Field(None, description="The key that it takes, sent as a bearer token.")
    device: Device = Field("auto", description="Where the model runs: auto, cpu, cuda, cuda:N or mps.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the device multiplies it fast, else float32."
    )
    window_size: WindowSize = Field("auto", description="First-stage hits that are rescored: auto or a number.")
    top_k: int = Field(10, ge=1, description="Hits returned.")
    timeout_s: TimeoutS = Field(10.0, description="Seconds a search may take, or none; what is scored by then is used.")
    max_length_tokens: Annotated[Annotated[int, Field(ge=32)] | None, NoneByName] = Field(
        None, description="Tokens of the whole prompt; none: the model's own."
    )
    vector_cache_mb: int = Field(512, ge=0, description="Bound of the document vectors on disk; 0: none are kept.")
    score_cache_mb: int = Field(512, ge=0, description="Bound of the rescore-score cache on disk; 0 switches it off.")
    maven_repository: Annotated[str | None, NoneByName] = Field(
        None, description="Where Maven artifacts come from, such as a mirror; none: the public repository."
    )
    host: str = Field("127.0.0.1", description="Address that `prorank serve` answers at.")
    port: int = Field(8080, ge=0, le=65535, description="Its port; 0: any that is free.")
    max_body_mb: int = Field(16, ge=1, description="Largest body that `prorank serve` reads.")
    body_timeout_s: float = Field(
        30.0, gt=0, description="Seconds in which a request's headers have to arrive, and as many for its body."
    )
    max_texts: int = Field(1000, ge=1, description="Documents in one rerank request at most.")
    max_text_chars: int = Field(1_000_000, ge=1, description="Characters of one document or query at most.")
    max_request_chars: int = Field(10_000_000, ge=1, description="Characters of all of a request's texts at most.")
    keys: Literal["auto", "off"] = Field(
        "auto", description="auto: keys are asked for once one was made; off: never, only on loopback."
    )
    tls_cert: Annotated[FolderPath | None, NoneByName] = Field(
        None, description="Certificate of `prorank serve`, a PEM file; with tls_key it answers by https."
    )
    tls_key: Annotated[FolderPath | None, NoneByName] = Field(None, description="The certificate's key, a PEM file.")
    behind_proxy: bool = Field(
        default=False,
        description="Answer other machines by plain http: a proxy encrypts, or the network is nobody else's.",
    )
    log_format: Literal["text", "json"] = Field("text", description="How `prorank serve` writes its log.")
    more_models: Names = Field(
        (), description="Other models that requests to `prorank serve` may name, loaded on first use."
    )
    more_models_mb: int = Field(
        4096, ge=0, description="Room for those of them that are loaded, counted as they lie on disk."
    )
    score_memory_mb: int = Field(
        64, ge=0, description="Bound of the scores that `prorank serve` and the web interface remember; 0: none."
    )
    score_memory_on_disk: bool = Field(
        default=False, description="Keep them on disk too, in the cache that score_cache_mb bounds."
    )
    gateway_prefix: Prefix = Field(
        "", description="Where the search gateway begins, such as /engine; empty: at the root."
    )
    gateway_account: Literal["caller", "service"] = Field(
        "caller", description="Whom the engine is asked as: the caller, or the engine_ user where a caller names none."
    )
    gateway_writes: bool = Field(default=False, description="Let everything pass the gateway, not only reads.")
    gateway_rescoring: bool = Field(default=True, description="The gateway's kill switch, as it stands at the start.")
    gateway_order_ttl_s: float = Field(
        300.0, gt=0, description="Seconds that the gateway keeps a search's order for its further pages."
    )
    max_answer_mb: int = Field(64, ge=1, description="Largest answer of the engine that the gateway reads.")
    max_queued_tokens: QueuedTokens = Field(
        "auto", description="Tokens in line before requests are sent away; auto: what is scored in 70 % of timeout_s."
    )

    api_url: Url = Field(
        None, description="The `prorank serve` that `prorank ui` asks; none: it searches in its own process."
    )
    api_key: SecretStr | None = Field(None, description="The key that it takes.")
    api_timeout_s: float = Field(30.0, gt=0, description="Seconds to wait for each of its answers.")
    user_header: Annotated[str | None, NoneByName] = Field(
        None, description="Header in which the proxy before `prorank ui` says who somebody is; none: the page asks."
    )
    role_header: Annotated[str | None, NoneByName] = Field(
        None, description="Header in which it says their role: viewer, judge or operator."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses and networks that may send these two headers, with commas between."
    )
    default_role: Literal["auto", "viewer", "judge", "operator"] = Field(
        "auto", description="Role of whom no proxy gives one; auto: operator on this machine, viewer from others."
    )
    ui_hosts: Names = Field(
        (),
        description="Names besides localhost and loopback addresses by which an operator whom no proxy names may open "
        "`prorank ui`, with commas between.",
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def origin(self, key: str) -> str:
        """Return where a setting's value comes from: a flag, a variable, a file, or "default"."""
        return self._origins.get(key, "default")

    def changed(self, values: Mapping[str, object], origin: str = "caller") -> Settings:
        """Return a copy with other values.

        Args:
            values: Settings by name, of the right types.
            origin: Where they come from.
        """
        copy = self.model_copy(update=values)
        copy._origins = self._origins | dict.fromkeys(values, origin)  # noqa: SLF001 (its own)
        return copy

    def is_by_hand(self, key: str) -> bool:
        """Tell whether a flag or a variable sets it, which goes before what an index's profile says."""
        return self.origin(key).startswith(("flag", "variable"))


def load_settings(*, index: str | None = None, **flags: object) -> Settings:
    """Build the settings that are in force.

    Args:
        index: The index that is about to be searched: what its profile in the file says of a setting goes before what
            the file says for all.
        flags: Settings given by hand; they go before everything else. None: not given.

    Raises:
        ConfigError: An unknown key or a value that cannot be used, with the place where it stands; or the home's
            promotions cannot be read.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    variables = _variables()
    path = config_path(given.get("config") or variables.get("config"))
    file = read_config(path)
    profiles = table(file.pop("profiles", {}), f"{path}: profiles")
    check_keys(file, (set(Settings.model_fields) - {"config"}) | {"profiles"}, place=str(path))
    layers = {
        str(path): file,
        f"{path} [profiles.{index}]": _of_settings(table(profiles.get(index or "", {}), f"{path} [profiles.{index}]")),
        "variable": variables,
        "flag": given,
    }
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for place, layer in layers.items():
        values |= layer
        origins |= {key: _origin(place, key) for key in layer}
    if path is not None:
        origins.setdefault("config", "working directory")
    try:
        settings = Settings.model_validate(values | {"config": path})
    except ValidationError as error:
        raise ConfigError(explain(error, values, origins)) from error
    settings._origins = origins  # noqa: SLF001 (this function is the only one that knows them)
    promoted = None if "model" in values else promotions.promoted_model(settings.home)
    if promoted is None:
        return settings
    return settings.changed({"model": promoted}, str(settings.home / promotions.FILE_NAME))


def config_path(given: object = None) -> Path | None:
    """Return the settings file: the given one, else prorank.toml of the working directory, else None.

    Raises:
        ConfigError: The given file does not exist, or what goes by the file's name is a folder.
    """
    path = Path(str(given)).expanduser() if given else Path(FILE_NAME)
    if path.is_file():
        return path.absolute()
    if path.is_dir():
        raise ConfigError(
            f"{str(path)!r} is a folder, not a settings file: name a file with --config or PRORANK_CONFIG"
        )
    if given:
        raise ConfigError(
            f"the settings file {str(path)!r} does not exist: name another with --config or PRORANK_CONFIG"
        )
    return None


def read_config(path: Path | None) -> dict[str, Any]:
    """Return what stands in a settings file; nothing where there is none.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from error


def table(value: object, place: str) -> dict[str, Any]:
    """Return `value` if it is a TOML table.

    Raises:
        ConfigError: It is something else.
    """
    if not isinstance(value, dict):
        raise ConfigError(f"{place} = {value!r} has to be a table")
    return value


def check_keys(given: Iterable[str], known: Collection[str], *, place: str) -> None:
    """Refuse an unknown key, naming the nearest known one.

    Raises:
        ConfigError: One of the given keys is not known.

    Example:
        >>> check_keys(["windo_size"], ["window_size", "top_k"], place="prorank.toml")
        Traceback (most recent call last):
        prorank_search.errors.ConfigError: prorank.toml: unknown key 'windo_size': did you mean 'window_size'?
    """
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
            raise ConfigError(f"{place}: unknown key {key!r}: {advice}")


def explain(error: ValidationError, given: Mapping[str, object], origins: Mapping[str, str]) -> str:
    """Turn pydantic's complaints into one plain sentence for each key, with the place where the value stands."""
    complaints: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False):
        key, value = _locate(given, problem["loc"])
        origin = origins.get(key.partition(".")[0], "settings")
        message = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        message = message.replace("a valid dictionary", "a table")
        said = "(not shown)" if key in SECRETS else USER_INFO.sub("***@", repr(value))
        start = f"{origin}: {key} = {said}: it has to be "
        complaints.setdefault(start, []).append(message.partition(", unable to parse")[0])
    return "; ".join(start + ", or ".join(messages) for start, messages in complaints.items())


def _locate(given: Mapping[str, object], steps: Sequence[int | str]) -> tuple[str, object]:
    """Follow pydantic's steps through tables only: what comes after is the branch of a union that it tried."""
    keys: list[str] = []
    value: object = given
    for step in steps:
        if not isinstance(value, Mapping) or step not in value:
            break
        keys.append(str(step))
        value = value[step]
    return ".".join(keys), value


def _variables() -> dict[str, str]:
    """Return the PRORANK_* variables that are set, by the name of their setting."""
    names = {f"{ENV_PREFIX}{key.upper()}": key for key in Settings.model_fields}
    found = [name for name, value in os.environ.items() if name.startswith(ENV_PREFIX) and value]
    check_keys(found, [*names, *FOREIGN_VARIABLES], place="environment")
    return {names[name]: os.environ[name] for name in found if name in names}


def _of_settings(profile: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in profile.items() if key in Settings.model_fields}


def _origin(place: str, key: str) -> str:
    if place == "variable":
        return f"variable {ENV_PREFIX}{key.upper()}"
    return f"flag --{key.replace('_', '-')}" if place == "flag" else place
