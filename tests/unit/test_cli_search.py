"""search, compare, index and config, over a real embedded index and the rescorer that needs no model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from prorank_search import Document, load_backend
from prorank_search.cli import app
from prorank_search.settings import load_settings

TEXTS = {
    "goose": ("Geese", "A goose, a goose, a goose: goose!"),
    "grey": ("Weather", "Grey skies over the sea."),
    "both": ("A long walk", "We walked for hours along the river, and far away we saw a grey goose in the reeds."),
    "odd": ("Odd \x1b[31mtitle", "[bold]Markup[/bold] and a goose."),
}


@pytest.fixture(autouse=True)
def animals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index named animals, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRORANK_RESCORER", "overlap")
    with load_backend(load_settings()).writer("animals", analysis="english", replace=False) as writer:
        writer.add(Document(doc_id, text, title=title) for doc_id, (title, text) in TEXTS.items())
        writer.publish()


def prorank(*arguments: str, columns: int = 100) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": str(columns)})


def test_search_prints_the_best_hit_first_with_both_scores() -> None:
    result = prorank("search", "grey goose", "--index", "animals")
    assert result.exit_code == 0
    first = result.stdout.split("\n\n")[0].splitlines()
    assert first[0].endswith("A long walk")
    assert first[2].startswith("score 1.000, BM25 ")
    assert result.stdout.splitlines()[-1].startswith("ok: BM25 ")


def test_search_as_json_is_a_search_result() -> None:
    found = json.loads(prorank("search", "grey goose", "--index", "animals", "--top-k", "2", "--json").stdout)
    assert list(found) == ["query", "hits", "status", "took_ms"]
    assert found["hits"][0]["doc_id"] == "both"
    assert len(found["hits"]) == 2
    assert found["status"]["model"] == "overlap"


def test_without_rescoring_the_first_stage_stands() -> None:
    found = json.loads(prorank("search", "goose", "--index", "animals", "--no-rescore", "--json").stdout)
    assert found["status"]["state"] == "skipped"
    assert [hit["first_stage_rank"] for hit in found["hits"]] == [1, 2, 3]


def test_the_window_bounds_what_is_rescored() -> None:
    found = json.loads(prorank("search", "goose", "--index", "animals", "--window-size", "1", "--json").stdout)
    assert [hit["rescore_score"] is None for hit in found["hits"]] == [False, True, True]


def test_a_search_that_finds_nothing_says_so() -> None:
    result = prorank("search", "zebra", "--index", "animals")
    assert (result.exit_code, "Nothing was found." in result.stdout) == (0, True)


@pytest.mark.parametrize("command", ["search", "compare"])
def test_a_search_that_finds_nothing_names_the_profile_s_filter(tmp_path: Path, command: str) -> None:
    (tmp_path / "prorank.toml").write_text("[profiles.animals.filter]\nkind = 'bird'\n")
    result = prorank(command, "goose", "--index", "animals")
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert "Nothing was found: the index's profile lets only documents with kind = 'bird' be found." in shown


@pytest.mark.parametrize("command", ["search", "compare"])
def test_an_empty_query_is_refused(command: str) -> None:
    result = prorank(command, " ", "--index", "animals")
    assert (result.exit_code, result.stderr) == (3, "error: the query is empty: give the words to search for\n")


def test_a_missed_deadline_warns_on_stderr() -> None:
    result = prorank("search", "goose", "--index", "animals", "--timeout-s", "1e-9", "--json")
    assert json.loads(result.stdout)["status"]["state"] == "degraded"
    assert result.stderr.startswith("warning: 0 of 3 hits were scored in time; ")


def test_a_stand_in_warns_that_its_scores_are_not_a_models() -> None:
    result = prorank("search", "goose", "--index", "animals", "--json")
    assert json.loads(result.stdout)["status"]["state"] == "ok"
    assert result.stderr == "warning: overlap only counts shared words: it shows the plumbing, not ProRank\n"


@pytest.mark.parametrize("command", ["search", "compare"])
def test_nothing_in_a_document_commands_the_terminal(command: str) -> None:
    shown = prorank(command, "markup", "--index", "animals").stdout
    assert "\x1b" not in shown
    assert "[bold]Markup[/bold]" in shown


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--index", "animals", "--top-k", "0"], 2, "error: flag --top-k: top_k = 0"),
        (["--index", "nowhere"], 3, "error: no index 'nowhere'"),
        (["--index", "animals", "--window-size", "many"], 2, "error: flag --window-size: window_size = 'many'"),
        (["--index", "animals", "--rescorer", "magic"], 2, "error: no plugin 'magic'"),
        (["--index", "animals", "--url", "http://localhost:9"], 4, "error: nobody answers at http://localhost:9 "),
        ([], 2, "Missing option '--index'"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr(arguments: list[str], exit_code: int, message: str) -> None:
    result = prorank("search", "goose", *arguments, "--json")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in result.stderr


def test_the_profile_of_the_index_counts(tmp_path: Path) -> None:
    (tmp_path / "prorank.toml").write_text("[profiles.animals]\ntemplate = '{title}'\nwindow_size = 2\n")
    found = json.loads(prorank("search", "goose", "--index", "animals", "--json").stdout)
    assert [hit["rescore_score"] for hit in found["hits"]] == [0.0, 0.0, None]  # no title has the word


def test_compare_puts_two_columns_side_by_side_under_a_sentence() -> None:
    shown = prorank("compare", "grey goose", "--index", "animals", "--top-k", "2").stdout
    lines = shown.splitlines()
    assert lines[0].endswith("the best hit rose from 2 to 1.")
    assert "BM25, " in lines[2]
    assert "rescored by overlap, " in lines[2]


def test_compare_in_a_narrow_terminal_puts_one_list_below_the_other() -> None:
    lines = prorank("compare", "grey goose", "--index", "animals", columns=40).stdout.splitlines()
    headings = [line for line in lines if line.startswith(("BM25, ", "rescored by"))]
    assert len(headings) == 2
    assert max(map(len, lines)) <= 40


def test_compare_as_json_tells_where_each_hit_went() -> None:
    told = json.loads(prorank("compare", "grey goose", "--index", "animals", "--top-k", "1", "--json").stdout)
    assert told["summary"] == "1 of the first 1 is new; the best hit rose from 2 to 1."
    assert [hit["first_stage_rank"] for hit in told["first_stage"]] == [1]
    assert [hit["doc_id"] for hit in told["second_stage"]] == ["both"]


def test_index_list_is_an_array_of_objects() -> None:
    (index,) = json.loads(prorank("index", "list", "--json").stdout)
    assert (index["name"], index["documents"], index["analysis"]) == ("animals", 4, "english")
    assert {"size_bytes", "created", "version"} <= set(index)


def test_index_delete_asks_first() -> None:
    refused = CliRunner().invoke(app, ["index", "delete", "animals"], input="n\n")
    assert (refused.exit_code, refused.stdout.endswith("'animals' stays\n")) == (0, True)
    assert len(json.loads(prorank("index", "list", "--json").stdout)) == 1
    assert prorank("index", "delete", "animals", "--yes").exit_code == 0
    assert json.loads(prorank("index", "list", "--json").stdout) == []


def test_index_delete_needs_yes_where_nobody_answers() -> None:
    result = CliRunner().invoke(app, ["index", "delete", "animals"], input="")
    assert (result.exit_code, "give --yes" in result.stderr) == (2, True)


def test_ctrl_c_at_the_question_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> bool:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", interrupted)
    assert prorank("index", "delete", "animals").exit_code == 130
    assert len(json.loads(prorank("index", "list", "--json").stdout)) == 1


@pytest.mark.parametrize("damaged", ["meta.json", "version.json"])
def test_a_damaged_index_can_be_deleted(prorank_home: Path, damaged: str) -> None:
    (path,) = (prorank_home / "indexes" / "animals").glob(f"v*/{damaged}")
    path.write_text("damaged")
    result = CliRunner().invoke(app, ["index", "delete", "animals"], input="y\n")
    assert (result.exit_code, "since it is damaged" in result.stderr) == (0, True)
    assert not (prorank_home / "indexes" / "animals").exists()


def test_an_index_whose_first_ingest_did_not_finish_can_be_deleted(prorank_home: Path) -> None:
    with load_backend(load_settings()).writer("plants", analysis="english", replace=False) as writer:
        writer.commit()
    result = CliRunner().invoke(app, ["index", "delete", "plants"], input="y\n")
    assert (result.exit_code, "its first ingest did not finish?" in result.stderr) == (0, True)
    assert not (prorank_home / "indexes" / "plants").exists()


def test_an_index_that_is_not_there_is_told_before_the_question() -> None:
    result = prorank("index", "delete", "plants")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no index 'plants'" in result.stderr


def test_index_prune_says_what_it_deleted() -> None:
    assert "there is one version" in prorank("index", "prune", "animals").stdout
    with load_backend(load_settings()).writer("animals", analysis="english", replace=True) as writer:
        writer.add([Document("only", "one")])
        writer.publish()
    (deleted,) = json.loads(prorank("index", "prune", "animals", "--json").stdout)["deleted"]
    assert deleted.startswith("v1-")
    assert prorank("index", "rollback", "animals").exit_code == 3


def test_index_rollback_shows_the_version_before() -> None:
    with load_backend(load_settings()).writer("animals", analysis="english", replace=True) as writer:
        writer.add([Document("only", "one")])
        writer.publish()
    assert json.loads(prorank("index", "list", "--json").stdout)[0]["documents"] == 1
    answer = json.loads(prorank("index", "rollback", "animals", "--json").stdout)
    assert (answer["index"], answer["version"][:3]) == ("animals", "v1-")
    assert json.loads(prorank("index", "list", "--json").stdout)[0]["documents"] == 4


def test_config_show_tells_where_each_value_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "prorank.toml"
    file.write_text("top_k = 5\n[profiles.animals]\nwindow_size = 7\n")
    told = json.loads(prorank("config", "show", "--index", "animals", "--json").stdout)
    assert told["settings"]["top_k"] == {"value": 5, "from": str(file)}
    assert told["settings"]["window_size"] == {"value": 7, "from": f"{file} [profiles.animals]"}
    assert told["settings"]["rescorer"] == {"value": "overlap", "from": "variable PRORANK_RESCORER"}
    assert told["settings"]["model"]["from"] == "default"
    profile = told["profiles"]["animals"]
    assert (profile["window_size"], profile["on_failure"], profile["gateway"]["mode"]) == (7, "keep", "apply")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_config_show_leaves_out_the_query_of_an_address(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.setenv("PRORANK_REMOTE_URL", "https://rerank.example/v1/rerank?key=secret")
    shown = prorank("config", "show", *options).stdout
    assert "https://rerank.example/v1/rerank" in shown
    assert "secret" not in shown


def test_config_show_of_an_index_leaves_other_profiles_out(tmp_path: Path) -> None:
    (tmp_path / "prorank.toml").write_text('[profiles.animals]\ntemplate = "{title}\\n{text}"\n[profiles.plants]\n')
    shown = prorank("config", "show", "--index", "animals").stdout
    assert 'template         "{title}\\n{text}"\n' in shown
    assert "plants" not in shown


def test_config_show_prints_the_same_for_people(tmp_path: Path) -> None:
    file = tmp_path / "prorank.toml"
    file.write_text("top_k = 5\n[profiles.animals]\nwindow_size = 7\n")
    lines = [line.split() for line in prorank("config", "show").stdout.splitlines()]
    assert ["top_k", "5", str(file)] in lines
    assert ["profile", "animals", "value"] in lines
