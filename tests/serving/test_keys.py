from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prorank_search.cli import app
from prorank_search.errors import AuthError, ConfigError, InputError
from prorank_search.serving import keys
from prorank_search.serving.keys import KeyRing


@pytest.fixture
def home(prorank_home: Path) -> Path:
    return prorank_home


def prorank(*arguments: str, exit_code: int = 0) -> str:
    answer = CliRunner().invoke(app, ["keys", *arguments])
    assert answer.exit_code == exit_code, answer.output
    return answer.output if exit_code else answer.stdout


def expire(home: Path, name: str) -> None:
    """Put the end of a key into the past."""
    path = home / keys.FILE_NAME
    file = json.loads(path.read_text())
    for row in file["keys"]:
        if row["name"] == name:
            row["expires"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    path.write_text(json.dumps(file))


def test_a_secret_is_shown_once_and_only_its_hash_is_kept_where_others_cannot_read_it(home: Path) -> None:
    secret = prorank("create", "search-team").strip()
    path = home / keys.FILE_NAME
    assert len(secret) >= 43
    assert KeyRing(home).check(secret).name == "search-team"
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in prorank("list")
    assert [file.name for file in home.iterdir() if "keys.json." in file.name] == [".keys.json.lock"]


def test_keys_are_listed_with_their_end_and_state(home: Path) -> None:
    prorank("create", "one")
    made = json.loads(prorank("create", "two", "--expires-days", "30", "--json"))
    assert (made["name"], made["state"], len(made["key"])) == ("two", "active", len("prorank_") + 43)
    prorank("create", "three")
    expire(home, "three")
    listed = {row["name"]: row for row in json.loads(prorank("list", "--json"))}
    assert [row["state"] for row in listed.values()] == ["active", "active", "expired"]
    assert (listed["one"]["expires"], listed["two"]["expires"]) == (None, made["expires"])
    assert all(set(row) == {"name", "role", "created", "expires", "state"} for row in listed.values())


def test_a_revoked_key_is_refused_and_the_others_are_not(home: Path) -> None:
    secrets = {name: prorank("create", name).strip() for name in ("one", "two")}
    ring = KeyRing(home)
    assert prorank("revoke", "one") == "revoked one\n"
    with pytest.raises(AuthError, match="not known"):
        ring.check(secrets["one"])
    assert ring.check(secrets["two"]).name == "two"


def test_a_key_that_has_expired_is_refused_by_name(home: Path) -> None:
    secret = prorank("create", "old").strip()
    ring = KeyRing(home)
    expire(home, "old")
    with pytest.raises(AuthError, match="'old' has expired"):
        ring.check(secret)
    assert not ring.usable()


@pytest.mark.parametrize("secret", ["", "prorank_", "prorank_wrong", "ключ", "\ud83d"])
def test_what_is_no_key_is_refused(home: Path, secret: str) -> None:
    keys.create(home, "one")
    with pytest.raises(AuthError, match="not known"):
        KeyRing(home).check(secret)


def test_once_there_were_keys_they_are_asked_for_even_when_the_last_is_gone(home: Path) -> None:
    ring = KeyRing(home)
    assert not ring.exist
    keys.create(home, "one")
    assert ring.exist
    keys.revoke(home, "one")
    assert (ring.exist, ring.usable(), KeyRing(home).exist) == (True, False, True)
    (home / keys.FILE_NAME).unlink()
    assert ring.exist


def test_a_file_that_is_damaged_while_the_service_runs_leaves_the_keys_of_before(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = keys.create(home, "one")
    ring = KeyRing(home)
    (home / keys.FILE_NAME).write_text("{")
    assert ring.check(secret).name == "one"
    assert "the previous keys stay in use" in caplog.text


@pytest.mark.parametrize("text", ["{", "[]", '{"keys": [{}]}', '{"keys": [{"name": "a", "hash": ""}]}', "\udcff"])
def test_a_damaged_file_is_told_before_the_service_starts(home: Path, text: str) -> None:
    home.mkdir()
    (home / keys.FILE_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"keys\.json"):
        KeyRing(home)


def test_a_file_that_others_may_write_into_is_refused(home: Path) -> None:
    keys.create(home, "one")
    (home / keys.FILE_NAME).chmod(0o622)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeyRing(home)


@pytest.mark.parametrize("name", ["", "two words", "a" * 65, "a\nb", "ключ", "../x"])
def test_a_name_that_logs_could_not_show_is_refused(home: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a key"):
        keys.create(home, name)


def test_a_name_is_taken_once_and_an_unknown_one_is_told_with_the_known(home: Path) -> None:
    prorank("create", "one")
    assert "already" in prorank("create", "one", exit_code=3)
    assert "known are: one" in prorank("revoke", "two", exit_code=3)
    assert [key.name for key in keys.read(home)] == ["one"]


def test_a_key_has_a_role_that_is_listed_and_one_that_nobody_knows_is_refused(home: Path) -> None:
    secrets = {
        "team": prorank("create", "team").strip(),
        "chief": prorank("create", "chief", "--role", "admin").strip(),
    }
    ring = KeyRing(home)
    assert {name: ring.check(secret).role for name, secret in secrets.items()} == {"team": "caller", "chief": "admin"}
    assert {row["name"]: row["role"] for row in json.loads(prorank("list", "--json"))} == {
        "team": "caller",
        "chief": "admin",
    }
    assert "caller or admin" in prorank("create", "odd", "--role", "king", exit_code=2)


def test_keys_of_a_file_without_roles_are_callers(home: Path) -> None:
    secret = prorank("create", "old", "--role", "admin").strip()
    path = home / keys.FILE_NAME
    file = json.loads(path.read_text())
    del file["keys"][0]["role"]
    path.write_text(json.dumps(file))
    assert KeyRing(home).check(secret).role == "caller"
    prorank("create", "new")
    assert [key.role for key in keys.read(home)] == ["caller", "caller"]
    file["keys"][0]["role"] = "king"
    path.write_text(json.dumps(file))
    with pytest.raises(ConfigError, match="not a file of keys"):
        keys.read(home)


def test_keys_that_are_made_at_the_same_time_are_all_kept(home: Path) -> None:
    names = {f"key-{at}" for at in range(20)}
    with ThreadPoolExecutor(8) as makers:
        list(makers.map(lambda name: keys.create(home, name), names))
    assert {key.name for key in keys.read(home)} == names
