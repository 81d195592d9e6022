from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from prorank_search.settings import Settings

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

collect_ignore = ["golden/make_mxbai.py"]  # runs in an environment of its own


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_home() -> Path:
    """The home that `make test` pulled the base model into: for reading models, never for writing."""
    return Settings().home


@pytest.fixture(autouse=True)
def prorank_home(shared_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the test's own, and no PRORANK_ variable of the machine it runs on.

    Asks for `shared_home` so that it is read before the variables are gone.
    """
    del shared_home
    for name in [name for name in os.environ if name.startswith("PRORANK_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("PRORANK_HOME", str(home))
    return home
