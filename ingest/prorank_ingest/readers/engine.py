"""An index of OpenSearch or Elasticsearch, whoever built it, by its address: `https://search.example:9200/articles`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from prorank_ingest.meters import RecordMeter
from prorank_ingest.records import usable
from prorank_search.errors import ConfigError, InputError
from prorank_search.passages import whole_documents
from prorank_search.profiles import profile_for
from prorank_search.protocols import BadRecord, Extent, Reader, ReaderOptions
from prorank_search.types import Document, SourcePaths

if TYPE_CHECKING:
    from prorank_search.backends.engines.mappings import IndexMapping
    from prorank_search.backends.engines.search import EngineSearch
    from prorank_search.settings import Settings

_EXAMPLE = "https://search.example:9200/articles"
_NOBODY = dict.fromkeys(("engine_username", "engine_password", "engine_api_key", "engine_aws_region"))


@dataclass(frozen=True, slots=True)
class EngineIndex:
    """Reads an index as it is at one moment. Sends nothing but reads.

    Attributes:
        settings: Address and user.
        index: Name of the index, or of an alias.
        options: Paths of id, title and text, which go before those of the index's profile.
    """

    settings: Settings
    index: str
    options: ReaderOptions
    meter: RecordMeter = field(default_factory=RecordMeter)

    def read(self, start: int = 0) -> Iterator[Document | BadRecord]:
        """Yield the documents in the order that the engine keeps them in; of an index of passages whole ones.

        Raises:
            InputError: There is no such index, or nobody said where its texts stand.
            BackendError: The engine failed.
        """
        return islice(self._records(), start, None)

    def fingerprint(self) -> str:
        """Change with every write into the index."""
        from prorank_search.backends.engines.state import state_of

        return state_of(self._opened().engine, self.index)

    def extent(self) -> Extent:
        """Count the documents."""
        return self.meter.extent()

    def _records(self) -> Iterator[Document | BadRecord]:
        from prorank_search.backends.engines.walk import documents

        backend = self._opened()
        mapping = backend.mapping(self.index)
        stored = documents(backend.engine, mapping, self._paths(mapping))
        whole = self.meter.count(whole_documents(stored), backend.count(self.index))
        return (usable(document, f"{backend.engine.where}/{self.index}") for document in whole)

    def _opened(self) -> EngineSearch:
        from prorank_search.backends.engines.detection import connect
        from prorank_search.backends.engines.search import EngineSearch

        return EngineSearch(connect(self.settings))

    def _paths(self, mapping: IndexMapping) -> SourcePaths | None:
        """Return where id, title and text stand; None: as in indexes of ours."""
        from prorank_search.backends.engines.hits import default_paths

        profile, given = profile_for(self.settings, self.index).source, self.options
        if mapping.ours and profile is None:
            return None
        known = profile or default_paths(mapping)
        if profile is None and given.text_column is None and known.text not in mapping.fields:
            fields = ", ".join(name for name, found in mapping.fields.items() if found.textual) or "none with text"
            raise InputError(
                f"index {self.index!r} has no field {known.text!r}, but {fields}: name its paths by --text-column and "
                "--title-column, or by `source` in its profile, which `prorank profile guess` writes"
            )
        return SourcePaths(
            given.id_column or known.doc_id, given.title_column or known.title, given.text_column or known.text
        )


def open_reader(source: str, options: ReaderOptions) -> Reader | None:
    """Return a reader of an index that is named by its http:// or https:// address.

    Raises:
        InputError: The address names no index.
        ConfigError: It holds a password, or there are no settings.
    """
    address = urlsplit(source)
    if address.scheme not in ("http", "https"):
        return None
    prefix, _, index = address.path.rstrip("/").rpartition("/")
    if not index or not address.hostname:
        raise InputError(f"the address {_shown(address)} names no index: write one as in {_EXAMPLE}")
    if options.settings is None:
        raise ConfigError(f"{_shown(address)} is read with ReaderOptions(settings=...): they say who we are there")
    url = f"{address.scheme}://{address.netloc.rpartition('@')[2]}{prefix}"
    return EngineIndex(_settings_there(address, url, options.settings), unquote(index), options)


def _settings_there(address: SplitResult, url: str, settings: Settings) -> Settings:
    """Return the settings for a source: the user of the settings is for the engine that they name, and no other."""
    from prorank_search.backends.engines.connection import nodes

    there = settings.model_copy(update={"url": url})
    if address.username is not None:
        user = {"engine_username": unquote(address.username), "engine_password": _password(address)}
        return there.model_copy(update=_NOBODY | user)
    if settings.url is None or nodes(there)[0] in nodes(settings):
        return there
    return there.model_copy(update=_NOBODY)


def _password(address: SplitResult) -> SecretStr:
    variable = (address.password or "").removeprefix("$")
    if not address.password or variable == address.password:
        raise ConfigError(
            f"{_shown(address)}: a password is never written out: set a variable, and write '$NAME' behind the user"
        )
    if variable not in os.environ:
        raise ConfigError(f"{_shown(address)}: the variable {variable} is not set")
    return SecretStr(os.environ[variable])


def _shown(address: SplitResult) -> str:
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"
