"""Every deed of the clients is refused to those who may not, whichever page calls it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from prorank_search import jobs
from prorank_search.errors import AuthError, ConfigError, ProRankError
from prorank_search.judgments import Judgment
from prorank_search.judgments.exchange import Judged
from prorank_search.settings import load_settings
from prorank_search.types import Qrel, Query
from prorank_ui import visiting
from prorank_ui.choices import Side
from prorank_ui.client import Client
from prorank_ui.clients.home_client import HomeClient
from prorank_ui.clients.local_client import LocalClient
from prorank_ui.clients.service_client import ServiceClient, open_service
from prorank_ui.documents.ingesting import IngestWish
from prorank_ui.evaluate.evaluating import EvaluationWish, Source
from prorank_ui.roles import Person, Role, Visitor
from prorank_ui.train.held_back import HeldBack, Pair
from tests.ui.conftest import PATIENCE_S

SHOP = Judgment("shop", "1", "dog", "ada", 2)
OF_JUDGES: dict[str, Callable[[Client], object]] = {
    "add_queries": lambda client: client.add_queries("shop", "animals", [Query("1", "dog")]),
    "pool": lambda client: client.pool("shop", "1", []),
    "judge": lambda client: client.judge(SHOP),
    "undo": lambda client: client.undo("shop", "ada"),
    "take_in": lambda client: client.take_in(
        Judged([], []), query_set="shop", index="animals", judge="ada", origin="person"
    ),
    "save_comparison": lambda client: client.save_comparison({"q": "dog"}),
    "start_evaluation": lambda client: client.start_evaluation(
        EvaluationWish(Source("shop", "animals"), "test", "animals", [Side()])
    ),
}
OF_OPERATORS: dict[str, Callable[[LocalClient], object]] = {
    "start_job": lambda client: client.start_job("train", "a run", jobs.prorank("index", "list"), {}),
    "start_held_back_test": lambda client: client.start_held_back_test(
        HeldBack("shop", "animals", Path("none.jsonl"), Path("none.tsv")), Pair("7", Path("nothing"), "old"), 1
    ),
    "promote": lambda client: client.promote(Path("nothing")),
    "demote": lambda client: client.demote(),
    "keep_upload": lambda client: client.keep_upload([]),
    "delete_uploads": lambda client: client.delete_uploads([]),
    "dry_run": lambda client: client.dry_run(IngestWish("", Path("nothing.csv"), "new")),
    "start_ingest": lambda client: client.start_ingest(IngestWish("", Path("nothing.csv"), "new")),
    "rollback": lambda client: client.rollback("animals"),
    "prune": lambda client: client.prune("animals"),
    "delete_index": lambda client: client.delete_index("animals", "animals"),
}
OF_THE_JOBS_KIND = {"resume_job", "stop_job", "put_job_away"}
READS = {
    "person",
    "indexes",
    "stages",
    "models",
    "top_k",
    "examples",
    "depends_on",
    "start",
    "text_of",
    "score",
    "first_stage",
} | {
    "versions",
    "examine",
    "search",
    "info",
}


class Asked:
    """Whoever asks now: a test changes it."""

    person = Person("operator")

    def __call__(self) -> Person:
        return self.person


@pytest.fixture
def asking() -> Asked:
    return Asked()


@pytest.fixture
def client(animals: str, asking: Asked) -> LocalClient:  # noqa: ARG001 (the index has to be there)
    client = LocalClient(load_settings(), asking)
    client.add_queries("shop", "animals", [Query("1", "dog")])
    client.judge(SHOP)
    return client


def test_every_method_of_the_clients_is_known_here() -> None:
    public = {
        name
        for kind in (HomeClient, LocalClient, ServiceClient)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == READS | OF_JUDGES.keys() | OF_OPERATORS.keys() | OF_THE_JOBS_KIND


@pytest.mark.parametrize("deed", OF_JUDGES)
def test_a_viewer_writes_nothing_and_a_judge_does(client: LocalClient, asking: Asked, deed: str) -> None:
    asking.person = Person("viewer")
    with pytest.raises(AuthError, match="needs the role judge, and yours is viewer"):
        OF_JUDGES[deed](client)
    asking.person = Person("judge")
    OF_JUDGES[deed](client)


@pytest.mark.parametrize("role", ["viewer", "judge"])
@pytest.mark.parametrize("deed", OF_OPERATORS)
def test_only_operators_change_indexes_and_models(client: LocalClient, asking: Asked, deed: str, role: Role) -> None:
    asking.person = Person(role)
    with pytest.raises(AuthError, match=f"needs the role operator, and yours is {role}"):
        OF_OPERATORS[deed](client)
    assert [index.name for index in client.indexes()] == ["animals"]
    asking.person = Person("operator")
    try:
        OF_OPERATORS[deed](client)
    except ProRankError as error:
        assert not isinstance(error, AuthError)  # noqa: PT017 (whether it can be done is another matter)


def test_a_job_is_stopped_and_resumed_by_those_who_may_start_it(client: LocalClient, asking: Asked) -> None:
    wish = EvaluationWish(Source("shop", "animals"), "test", "animals", [Side()])
    measuring, training = client.start_evaluation(wish), client.start_job("train", "t", jobs.prorank("--help"), {})
    asking.person = Person("judge")
    client.stop_job(measuring)
    for deed in (client.stop_job, client.resume_job, client.put_job_away):
        with pytest.raises(AuthError, match="needs the role operator"):
            deed(training)
    asking.person = Person("viewer")
    with pytest.raises(AuthError, match="needs the role judge"):
        client.resume_job(measuring)


def test_whom_a_proxy_names_judges_under_no_other_name(client: LocalClient, asking: Asked) -> None:
    asking.person = Person("operator", "grace")
    with pytest.raises(AuthError, match="you are 'grace' here"):
        client.judge(SHOP)
    with pytest.raises(AuthError, match="you are 'grace' here"):
        client.undo("shop", "ada")
    file = Judged([], [Qrel("1", "dog", 3)])
    with pytest.raises(AuthError, match="you are 'grace' here"):
        client.take_in(file, query_set="shop", index="animals", judge="ada", origin="person")
    assert client.store.qrels("shop") == [Qrel("1", "dog", 2)]
    client.take_in(Judged([], []), query_set="shop", index="animals", judge="imported by grace", origin="person")
    client.judge(Judgment("shop", "1", "dog", "grace", 0), Judgment("shop", "1", "dog", "tiny", 1, origin="model"))
    assert [(one.judge, one.relevance) for one in client.store.judgments("shop")] == [
        ("ada", 2),
        ("grace", 0),
        ("tiny", 1),
    ]


def test_a_service_runs_no_jobs_of_an_installation(client: LocalClient, asking: Asked) -> None:
    training = client.start_job("train", "a run", jobs.prorank("--help"), {})
    with pytest.raises(ConfigError, match="needs a local installation"):
        open_service(load_settings(api_url="http://127.0.0.1:9"), asking).resume_job(training)


class TestPages:
    """What a page says to those who may not use it."""

    @pytest.fixture(autouse=True)
    def visiting_from_elsewhere(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        del home  # it makes everybody an operator; from here on it is a browser on another machine
        monkeypatch.setattr(visiting, "visitor", lambda: Visitor("192.0.2.33", {"x-role": ["operator"]}))

    @pytest.mark.parametrize(("page", "role"), [("judge", "judge"), ("train", "operator"), ("documents", "operator")])
    def test_a_page_that_one_may_not_use_says_which_role_may(self, page: str, role: str) -> None:
        app = AppTest.from_string(
            f"from prorank_ui.app_pages import {page}\n{page}.page()\n", default_timeout=PATIENCE_S
        ).run()
        assert f"This page needs the role {role}" in drawn(app)
        assert "You have the role viewer" in drawn(app)
        assert not [*app.button, *app.text_input, *app.get("file_uploader")]

    @pytest.mark.usefixtures("animals", "stages")
    def test_a_viewer_compares_and_is_offered_nothing_that_writes(self) -> None:
        app = AppTest.from_string(
            "from prorank_ui.app_pages import compare\ncompare.page()\n", default_timeout=PATIENCE_S
        )
        app.query_params["q"] = "dog"
        app.run()
        assert drawn(app).count("pr-title") == 8
        buttons = {button.label: button for button in app.button}
        assert "Judge" not in buttons
        assert buttons["Save under a short address"].disabled

    def test_status_says_who_one_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRORANK_USER_HEADER", "X-User")
        monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "10.0.0.7")
        monkeypatch.setattr(visiting, "visitor", lambda: Visitor("10.0.0.7", {"x-user": ["![a](http://b)"]}))
        app = AppTest.from_string(
            "from prorank_ui.app_pages import status\nstatus.page()\n", default_timeout=PATIENCE_S
        ).run()
        assert r"You are \!\[a\]\(http\:\/\/b\)\, with the role judge\." in [one.value for one in app.caption]

    def test_evaluate_says_who_starts_evaluations(self) -> None:
        app = AppTest.from_string(
            "from prorank_ui.app_pages import evaluate\nevaluate.page()\n", default_timeout=PATIENCE_S
        ).run()
        assert not app.exception
        assert "Judges and operators start evaluations" in app.caption[0].value

    def test_past_the_proxy_no_page_shows_anything(self, animals: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRORANK_ROLE_HEADER", "X-Role")
        monkeypatch.setenv("PRORANK_TRUSTED_PROXIES", "10.0.0.7")
        for page in ("compare", "judge", "evaluate", "train", "documents", "status"):
            app = AppTest.from_string(
                f"from prorank_ui.app_pages import {page}\n{page}.page()\n", default_timeout=PATIENCE_S
            )
            app.query_params["q"] = "dog"
            app.run()
            assert "192.0.2.33 is none of the trusted_proxies" in drawn(app), page
            assert animals not in drawn(app)
            assert not app.get("header"), page


def drawn(app: AppTest) -> str:
    """Return the HTML on the page, without the style sheets."""
    assert not app.exception
    return "".join(element.proto.body for element in app.main.get("html") if "<style>" not in element.proto.body)
