from __future__ import annotations

from pathlib import Path

import pytest

from prorank_search.errors import ConfigError
from prorank_search.profiles import profile_for
from prorank_search.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_flag_goes_before_variable_before_profile_before_file_before_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "prorank.toml").write_text("window_size = 1\n[profiles.docs]\nwindow_size = 2")
    monkeypatch.setenv("PRORANK_WINDOW_SIZE", "3")
    file = str(folder / "prorank.toml")

    given = load_settings(index="docs", window_size="4")
    assert (given.window_size, given.origin("window_size")) == (4, "flag --window-size")
    variable = load_settings(index="docs")
    assert (variable.window_size, variable.origin("window_size")) == (3, "variable PRORANK_WINDOW_SIZE")
    monkeypatch.delenv("PRORANK_WINDOW_SIZE")
    profile = load_settings(index="docs")
    assert (profile.window_size, profile.origin("window_size")) == (2, f"{file} [profiles.docs]")
    for_all = load_settings(index="other")
    assert (for_all.window_size, for_all.origin("window_size")) == (1, file)
    (folder / "prorank.toml").unlink()
    default = load_settings(index="docs")
    assert (default.window_size, default.origin("window_size")) == ("auto", "default")


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    assert load_settings(model=None) == load_settings()


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    file = tmp_path / "other.toml"
    file.write_text("top_k = 3")
    if by == "variable":
        monkeypatch.setenv("PRORANK_CONFIG", str(file))
    settings = load_settings(config=file if by == "flag" else None)
    assert (settings.top_k, settings.config) == (3, file)


def test_a_named_file_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"'missing\.toml' does not exist"):
        load_settings(config="missing.toml")


@pytest.mark.parametrize("given", [None, "prorank.toml"])
def test_a_folder_in_the_files_place_is_an_error(folder: Path, given: str | None) -> None:
    (folder / "prorank.toml").mkdir()
    with pytest.raises(ConfigError, match=r"'prorank\.toml' is a folder, not a settings file"):
        load_settings(config=given)


@pytest.mark.parametrize("below", [".", "below"])
def test_a_home_that_is_a_file_is_an_error(folder: Path, below: str) -> None:
    (folder / "home").touch()
    with pytest.raises(ConfigError, match=r"flag --home: .* has to be a folder, and \S*home is a file"):
        load_settings(home=folder / "home" / below)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[profile.docs]\nwindow_size = 3", "unknown key 'profile': did you mean 'profiles'?"),
        ("windowsize = 3", "unknown key 'windowsize': did you mean 'window_size'?"),
        ("window_size = 'many'", "window_size = 'many': it has to be a valid integer, or 'auto'"),
        ("window_size = 0", "window_size = 0: it has to be greater than or equal to 1"),
        ("timeout_s = -1", "timeout_s = -1: it has to be greater than 0"),
        ("device = 'tpu'", "device = 'tpu': it has to be auto, cpu, cuda, cuda:N or mps"),
        ("dtype = 'int8'", "dtype = 'int8': it has to be 'auto', 'float32' or 'bfloat16'"),
        ("config = 'other.toml'", "unknown key 'config'"),
        ("profiles = 3", "profiles = 3 has to be a table"),
        ("top_k =", "cannot be read as TOML"),
    ],
)
def test_a_complaint_about_the_file_names_file_key_and_what_is_allowed(folder: Path, text: str, complaint: str) -> None:
    (folder / "prorank.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value).startswith(str(folder / "prorank.toml"))
    assert complaint in str(caught.value)


def test_a_profile_that_is_no_table_is_named(folder: Path) -> None:
    (folder / "prorank.toml").write_text("[profiles]\ndocs = 3")
    with pytest.raises(ConfigError, match=r"\[profiles\.docs\] = 3 has to be a table"):
        load_settings(index="docs")


def test_an_unknown_variable_is_an_error_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_WINDOWSIZE", "3")
    with pytest.raises(ConfigError, match="'PRORANK_WINDOWSIZE': did you mean 'PRORANK_WINDOW_SIZE'"):
        load_settings()


def test_the_variable_of_the_engine_tests_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_REQUIRE_ENGINES", "1")
    assert load_settings().top_k == 10


def test_a_bad_value_of_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_TOP_K", "ten")
    with pytest.raises(ConfigError, match="variable PRORANK_TOP_K: top_k = 'ten'"):
        load_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRORANK_URL", "")
    assert load_settings().url is None


def test_none_switches_the_deadline_off() -> None:
    assert load_settings(timeout_s="none").timeout_s is None


def test_the_home_may_start_with_a_tilde() -> None:
    assert load_settings(home="~/search").home == Path.home() / "search"


def test_the_documentation_has_a_row_for_every_setting(repository: Path) -> None:
    page = (repository / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [key for key in Settings.model_fields if key != "config" and f"\n| `{key}` |" not in page] == []


def test_the_example_of_the_documentation_is_a_settings_file(repository: Path, folder: Path) -> None:
    page = (repository / "docs" / "configuration.md").read_text(encoding="utf-8")
    (folder / "prorank.toml").write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    settings = load_settings(index="handbook")
    assert (settings.window_size, settings.model) == (50, "models/handbook")
    assert profile_for(settings, "handbook").on_failure == "error"


def test_lists_are_written_with_commas_in_variables_and_as_lists_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "prorank.toml"
    config.write_text('more_models = ["a", "b"]\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n', encoding="utf-8")
    of_file = load_settings(config=config)
    monkeypatch.setenv("PRORANK_MORE_MODELS", "a, b")
    monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    of_variables = load_settings()
    for settings in (of_file, of_variables):
        assert settings.more_models == ("a", "b")
        assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")
    monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(ConfigError, match=r"it has to be addresses or networks, such as 127\.0\.0\.1"):
        load_settings()
