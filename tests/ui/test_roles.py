"""Who somebody is: by a trusted proxy's headers, by nobody else's."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.runtime.context import StreamlitHeaders

from prorank_search.errors import AuthError, ConfigError
from prorank_search.settings import Settings
from prorank_ui import visiting
from prorank_ui.roles import ROLES, Person, Role, Visitor, person_of, require

PROXY = "10.0.0.7"
BROWSER = "192.0.2.33"
ADA = {"host": ["localhost:8501"], "x-user": ["ada"], "x-role": ["operator"]}


def settings(**more: object) -> Settings:
    return Settings.model_validate(
        {"user_header": "X-User", "role_header": "X-Role", "trusted_proxies": "10.0.0.0/29"} | more
    )


def test_without_a_proxy_this_machine_operates_and_others_look_on_whatever_they_send() -> None:
    assert person_of(Visitor("127.0.0.1", ADA), Settings()) == Person("operator")
    assert person_of(Visitor("::1", ADA), Settings()) == Person("operator")
    assert person_of(Visitor("::ffff:127.0.0.1", ADA), Settings()) == Person("operator")
    assert person_of(Visitor(BROWSER, ADA), Settings()) == Person("viewer")
    assert person_of(Visitor("", ADA), Settings()) == Person("viewer")
    assert person_of(Visitor(BROWSER, ADA), Settings(default_role="judge")) == Person("judge")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:80", "[::1]:8501", "search.example:8501"])
def test_an_operator_opens_the_page_by_a_name_of_this_machine_or_of_the_settings(host: str) -> None:
    visitor = Visitor("127.0.0.1", {"host": [host]})
    for named in ("Search.example", "search.example:8501"):
        assert person_of(visitor, Settings(ui_hosts=(named,))) == Person("operator")


@pytest.mark.parametrize("host", ["evil.example:8501", "127.0.0.1.evil.example", "localhost@evil.example", "[", ""])
def test_a_name_that_somebody_leads_here_makes_no_operator(host: str) -> None:
    for peer, given in [
        ("127.0.0.1", Settings()),
        (BROWSER, Settings(default_role="operator")),
        (BROWSER, settings(default_role="operator")),
    ]:
        with pytest.raises(AuthError, match="add it to ui_hosts"):
            person_of(Visitor(peer, {"host": [host]}), given)
    assert person_of(Visitor(BROWSER, {"host": [host]}), Settings()) == Person("viewer")


def test_a_trusted_proxy_says_name_and_role() -> None:
    assert person_of(Visitor(PROXY, ADA), settings()) == Person("operator", "ada")
    assert person_of(Visitor(PROXY, {"x-user": ["ada"], "x-role": [" Judge "]}), settings()) == Person("judge", "ada")
    assert person_of(Visitor(PROXY, {"x-user": ["ada"]}), settings()) == Person("viewer", "ada")
    assert person_of(Visitor(PROXY, ADA), settings(user_header=None)) == Person("operator")
    assert person_of(Visitor(PROXY, ADA), settings(role_header=None)) == Person("judge", "ada")


@pytest.mark.parametrize("peer", [BROWSER, "127.0.0.1", "10.0.0.8", "not an address", ""])
def test_headers_of_anybody_else_are_not_looked_at(peer: str) -> None:
    with pytest.raises(AuthError, match="open this page through the proxy"):
        person_of(Visitor(peer, ADA), settings())
    assert person_of(Visitor(peer, ADA), settings(default_role="viewer")) == Person("viewer")


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x-role": ["operator"]}, "does not say who you are"),
        ({"x-user": [" "], "x-role": ["operator"]}, "does not say who you are"),
        ({"x-user": ["ada"], "x-role": ["root"]}, "'root'"),
        ({"x-user": ["eve", "ada"], "x-role": ["judge"]}, "came 2 times"),
        ({"x-user": ["ada"], "x-role": ["operator", "viewer"]}, "came 2 times"),
    ],
)
def test_what_a_proxy_leaves_open_or_says_twice_is_refused(headers: dict[str, list[str]], told: str) -> None:
    with pytest.raises(AuthError, match=told):
        person_of(Visitor(PROXY, headers), settings())


def test_headers_without_a_proxy_that_may_send_them_are_a_mistake_of_the_settings() -> None:
    with pytest.raises(ConfigError, match="trusted_proxies"):
        person_of(Visitor("127.0.0.1", ADA), settings(trusted_proxies=()))


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_those_below_it_may(role: Role) -> None:
    rank = ROLES.index(role)
    for other in ROLES[: rank + 1]:
        require(Person(role), other, "this")
    for other in ROLES[rank + 1 :]:
        with pytest.raises(AuthError, match=f"needs the role {other}, and yours is {role}"):
            require(Person(role), other, "this")


def test_networks_that_are_none_are_told_with_their_key() -> None:
    with pytest.raises(ValueError, match=r"addresses or networks, such as 127\.0\.0\.1"):
        Settings.model_validate({"trusted_proxies": "proxy.example"})


def test_a_connection_that_is_gone_is_nobodys() -> None:
    with pytest.raises(AuthError, match="reload the page"):
        visiting.visitor()


@pytest.mark.parametrize("there_at_first", [True, False])
def test_a_connection_that_goes_or_comes_back_meanwhile_is_nobodys(
    *, there_at_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        there = there_at_first

        @property
        def headers(self) -> StreamlitHeaders:
            return StreamlitHeaders([("Host", "localhost")] if self.there else [])

        @property
        def ip_address(self) -> None:
            self.there = not there_at_first

    monkeypatch.setattr(st, "context", Context())
    with pytest.raises(AuthError, match="reload the page"):
        visiting.visitor()


@pytest.mark.parametrize(("address", "peer"), [(None, "127.0.0.1"), (BROWSER, BROWSER)])
def test_a_connection_is_its_peer_and_every_header_it_sent(
    address: str | None, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        ip_address = address
        headers = StreamlitHeaders([("Host", "here"), ("X-Role", "viewer"), ("x-role", "operator")])

    monkeypatch.setattr(st, "context", Context)
    assert visiting.visitor() == Visitor(peer, {"host": ["here"], "x-role": ["viewer", "operator"]})
