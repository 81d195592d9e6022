"""Who is let in, by which header, and what the others are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cohere
import httpx
import pytest

from prorank_search.errors import ConfigError
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving import keys
from prorank_search.serving.access import check_reach
from prorank_search.serving.keys import KeyRing
from prorank_search.settings import Settings
from tests.serving.live import Served

OURS: dict[str, tuple[str, dict[str, object]]] = {
    "/v1/rerank": ("message", {"query": "fox", "documents": ["a fox"]}),
    "/v2/rerank": ("message", {"query": "fox", "documents": ["a fox"]}),
    "/rerank": ("message", {"query": "fox", "texts": ["a fox"]}),
    "/v1/score": ("error", {"text_1": "fox", "text_2": "a fox"}),
    "/score": ("error", {"text_1": "fox", "text_2": "a fox"}),
}
GATEWAY = "/books/_search"
SWITCH = "/_prorank/gateway"

Start = Callable[..., Served]


@pytest.fixture
def start(serve: Callable[..., Served], prorank_home: Path) -> Start:
    def started(**settings: object) -> Served:
        return serve(OverlapRescorer(), **{"home": prorank_home, "keys": "auto"} | settings)

    return started


@pytest.fixture
def secret(prorank_home: Path) -> str:
    """The secret of a key by the name of `team`."""
    return keys.create(prorank_home, "team")[1]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("path", OURS)
def test_a_rerank_shape_takes_the_key_as_bearer_and_says_its_own_401_without(
    start: Start, secret: str, path: str
) -> None:
    served, (told_in, body) = start(), OURS[path]
    refused = served.http.post(path, json=body)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in str(refused.json()[told_in])
    for headers in (bearer(secret), {"authorization": f"BEARER {secret}"}, {"X-ProRank-Key": secret}):
        assert served.http.post(path, json=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/info", "/openapi.json", "/v1/nowhere"])
def test_the_other_paths_of_ours_ask_for_the_key_too(start: Start, secret: str, path: str) -> None:
    served = start()
    assert served.http.get(path).status_code == 401
    assert served.http.get(path, headers=bearer(secret)).status_code in {200, 404}


@pytest.mark.parametrize("headers", [{"Authorization": "Basic cHJvcmFuazp4"}, {"Authorization": "Bearer"}, {}])
def test_a_request_without_a_key_is_told_how_to_send_one(start: Start, secret: str, headers: dict[str, str]) -> None:
    fault = start().http.get("/v1/models", headers=headers).json()
    assert fault["error"]["type"] == "AuthenticationError"
    assert "prorank keys create" in fault["error"]["message"]
    assert secret not in str(fault)


def test_a_wrong_key_is_refused_and_not_repeated(start: Start, secret: str) -> None:
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    refused = start().http.get("/v1/models", headers=bearer(wrong))
    assert refused.status_code == 401
    assert wrong not in refused.text


def test_on_gateway_paths_only_our_own_header_counts_and_the_fault_is_the_engines(start: Start, secret: str) -> None:
    served = start()
    refused = served.http.get(GATEWAY, headers=bearer(secret))
    assert refused.status_code == 401
    assert refused.json()["status"] == 401
    assert refused.json()["error"]["type"] == "security_exception"
    assert "X-ProRank-Key" in refused.json()["error"]["reason"]
    assert served.http.get(GATEWAY, headers={"X-ProRank-Key": secret}).status_code != 401


@pytest.mark.parametrize("path", ["//v1/rerank", "/V1/rerank", "/v1%2Frerank", "/health/", "/ready/x"])
def test_no_way_of_writing_a_path_gets_around_the_key(start: Start, secret: str, path: str) -> None:
    del secret
    served = start()
    request = served.http.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    assert served.http.send(request).status_code == 401


def test_health_and_readiness_are_open_and_metrics_too_on_loopback(start: Start, secret: str) -> None:
    del secret
    served = start()
    assert [served.http.get(path).status_code for path in ("/health", "/ready", "/metrics")] == [200, 200, 200]


@pytest.mark.parametrize("reach", [{"host": "0.0.0.0"}, {"behind_proxy": True}])  # noqa: S104 (it listens on loopback)
def test_metrics_ask_for_the_key_where_others_can_reach_them(
    start: Start, secret: str, reach: dict[str, object]
) -> None:
    served = start(**reach)
    assert served.http.get("/metrics").status_code == 401
    assert 'prorank_refused_total{status="401"} 1.0' in served.http.get("/metrics", headers=bearer(secret)).text


def test_keys_that_are_made_and_revoked_while_the_service_runs_count_at_once(start: Start, prorank_home: Path) -> None:
    served = start()
    assert served.http.get("/v1/models").status_code == 200
    _, first = keys.create(prorank_home, "first")
    _, second = keys.create(prorank_home, "second")
    assert served.http.get("/v1/models").status_code == 401
    assert served.http.get("/v1/models", headers=bearer(first)).status_code == 200
    keys.revoke(prorank_home, "first")
    assert served.http.get("/v1/models", headers=bearer(first)).status_code == 401
    assert served.http.get("/v1/models", headers=bearer(second)).status_code == 200


def test_the_kill_switch_is_for_admins_and_looking_is_for_all(start: Start, secret: str, prorank_home: Path) -> None:
    served, (_, chief) = start(), keys.create(prorank_home, "chief", role="admin")
    off = {"rescoring": False}
    for header in (bearer(secret), {"X-ProRank-Key": secret}):
        refused = served.http.put(SWITCH, json=off, headers=header)
        assert refused.status_code == 403
        assert "the key 'team' is not an admin's" in refused.json()["message"]
        assert served.http.get(SWITCH, headers=header).json()["rescoring"] is True
    assert "message" in served.http.put(SWITCH, json=off).json()
    assert served.http.put(SWITCH, json=off, headers=bearer(chief)).json()["rescoring"] is False
    assert served.http.get("/v1/models", headers=bearer(chief)).status_code == 200
    assert 'prorank_refused_total{status="403"} 2.0' in served.http.get("/metrics").text


@pytest.mark.parametrize(
    "path", ["/_prorank//gateway", "/_prorank/gateway/", "/_prorank/x/../gateway", "/%5Fprorank/gateway"]
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_no_way_of_writing_the_admins_path_gets_around_its_role(
    start: Start, secret: str, path: str, method: str
) -> None:
    served = start()
    request = served.http.build_request(method, "/", json={"rescoring": False}, headers=bearer(secret))
    request.url = request.url.copy_with(raw_path=path.encode())
    assert served.http.send(request).status_code == 403
    assert served.http.get(SWITCH, headers=bearer(secret)).json()["rescoring"] is True


def test_keys_can_be_switched_off_on_loopback(start: Start, secret: str) -> None:
    del secret
    assert start(keys="off").http.get("/v1/models").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "10.0.0.7", "127.0.0.1.evil.example", "["])
def test_without_keys_a_name_that_somebody_points_at_this_machine_is_refused(start: Start, host: str) -> None:
    refused = start().http.get("/v1/models", headers={"Host": host})
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "PermissionDeniedError")
    assert "evil" not in refused.text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8080", "127.8.8.8"])
def test_without_keys_this_machine_is_let_in_by_all_its_names(start: Start, host: str) -> None:
    assert start().http.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("http://localhost:3000", 200), ("http://[::1]:80", 200)],
)
def test_without_keys_only_pages_of_this_machine_are_let_in(start: Start, origin: str, status: int) -> None:
    assert start().http.get("/v1/models", headers={"origin": origin}).status_code == status


def test_behind_a_proxy_any_name_is_let_in(start: Start) -> None:
    assert start(behind_proxy=True).http.get("/v1/models", headers={"Host": "search.example"}).status_code == 200


def test_the_cohere_clients_send_their_key_as_they_do(start: Start, secret: str) -> None:
    served = start()
    clients: list[Any] = [cohere.Client, cohere.ClientV2]
    for client in clients:
        asked = {"model": "overlap", "query": "fox", "documents": ["a hen", "a fox"]}
        answer = client(api_key=secret, base_url=served.url).rerank(**asked)
        assert [result.index for result in answer.results] == [1, 0]
        with pytest.raises(cohere.UnauthorizedError, match="not known here"):
            client(api_key="wrong", base_url=served.url).rerank(**asked)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_nothing_is_needed(prorank_home: Path, host: str) -> None:
    check_reach(Settings(host=host), KeyRing(prorank_home))


OTHERS = ["0.0.0.0", "192.0.2.1", "::", "example.org"]  # noqa: S104 (they are refused)


@pytest.mark.parametrize("host", OTHERS)
def test_others_are_kept_out_until_there_is_a_key_and_encryption(prorank_home: Path, host: str) -> None:
    def refusal(**settings: object) -> str:
        with pytest.raises(ConfigError, match="refused to listen") as refused:
            check_reach(Settings.model_validate({"host": host, **settings}), KeyRing(prorank_home))
        return str(refused.value)

    assert "prorank keys create" in refusal(behind_proxy=True)
    keys.create(prorank_home, "team")
    assert "--tls-cert" in refusal()
    assert "--behind-proxy" in refusal()
    assert "keys = 'off'" in refusal(behind_proxy=True, keys="off")
    check_reach(Settings(host=host, behind_proxy=True), KeyRing(prorank_home))
    check_reach(Settings(host=host, tls_cert=Path("c"), tls_key=Path("k")), KeyRing(prorank_home))
    keys.revoke(prorank_home, "team")
    assert "there is none" in refusal(behind_proxy=True)


LIMITS = {
    "max_texts": ({"max_texts": 2}, ["a", "b", "c"]),
    "max_text_chars": ({"max_text_chars": 10}, ["a" * 11]),
    "max_request_chars": ({"max_request_chars": 20}, ["a" * 10, "b" * 10]),
    "max_body_mb": ({"max_body_mb": 1}, ["a" * (1 << 20)]),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_has_its_own_error_in_each_shape(start: Start, limit: str) -> None:
    settings, texts = LIMITS[limit]
    served = start(**settings)
    asked: dict[str, tuple[dict[str, object], Callable[[Any], str]]] = {
        "/v1/rerank": ({"query": "fox", "documents": texts}, lambda fault: fault["detail"]),
        "/v2/rerank": ({"query": "fox", "documents": texts}, lambda fault: fault["message"]),
        "/rerank": ({"query": "fox", "texts": texts}, _tei),
        "/score": ({"text_1": "fox", "text_2": texts}, lambda fault: fault["error"]["message"]),
    }
    for path, (body, told) in asked.items():
        refused = served.http.post(path, json=body)
        assert (path, refused.status_code) == (path, 413)
        assert limit in told(refused.json())


def _tei(fault: Any) -> str:  # noqa: ANN401 (JSON; a body that was not read is answered as /v1/rerank)
    return str(fault["error"])


def test_a_request_at_its_limits_is_answered(start: Start) -> None:
    served = start(max_texts=2, max_text_chars=10, max_request_chars=23)
    body = {"query": "fox", "documents": ["a" * 10, "b" * 10]}
    assert served.http.post("/v2/rerank", json=body).status_code == httpx.codes.OK
