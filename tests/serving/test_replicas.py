"""Several processes of the service before one engine, and the balancers of docs/gateway.md before them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from tests.serving.docs_page import fenced, started
from tests.serving.gateway_asking import BEST_FIRST, QUERY, TEXTS
from tests.serving.stub_engine import stub_engine

SEARCHES = 12
SIZE = 2


@pytest.fixture(scope="module")
def replicas() -> Iterator[tuple[str, str]]:
    """The addresses of two processes before the same engine."""
    with stub_engine(TEXTS) as engine:
        command = f"prorank serve --rescorer overlap --url {engine.url}"
        with started(command) as one, started(command) as two:
            yield one, two


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "gateway.md").read_text(encoding="utf-8")


def asked(url: str, number: int, start: int) -> dict[str, Any]:
    """Return a page of one of several searches; they are told apart by a clause that the stub does not look at."""
    body = {**QUERY, "from": start, "size": SIZE, "rescore": {"window_size": 4, "prorank": {}}, "post_filter": number}
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{url}/books/_search", content=json.dumps(body), headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def is_recomputed(answer: dict[str, Any]) -> bool:
    return "order_recomputed" in answer["prorank"]["reason"]


def test_a_page_that_comes_to_another_replica_is_right_and_says_that_it_was_made_anew(
    replicas: tuple[str, str],
) -> None:
    first, second, third = (
        asked(url, 0, start) for url, start in zip([*replicas, replicas[0]], (0, 2, 2), strict=True)
    )
    assert [is_recomputed(answer) for answer in (first, second, third)] == [False, True, False]
    pages = [[hit["_id"] for hit in answer["hits"]["hits"]] for answer in (first, second, third)]
    assert pages == [BEST_FIRST[:2], BEST_FIRST[2:4], BEST_FIRST[2:4]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def balanced(command: list[str], port: int) -> Iterator[str]:
    """Run a balancer until it answers."""
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    if httpx.get(f"{url}/ready").status_code == httpx.codes.OK:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def placed(config: str, replicas: tuple[str, str], port: int) -> str:
    """Return a configuration of the page with the addresses of this test."""
    addresses = [url.removeprefix("http://") for url in replicas]
    for theirs, ours in zip(("127.0.0.1:8081", "127.0.0.1:8082"), addresses, strict=True):
        assert theirs in config
        config = config.replace(theirs, ours)
    return config.replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def check_pages(url: str, replicas: tuple[str, str]) -> None:
    """See that all pages of a search come to one replica, and that both replicas have searches."""
    for number in range(1, SEARCHES):
        answers = [asked(url, number, start) for start in (0, 2, 4)]
        assert not any(is_recomputed(answer) for answer in answers), number
        assert [hit["_id"] for answer in answers for hit in answer["hits"]["hits"]] == BEST_FIRST
    orders = [httpx.get(f"{replica}/_prorank/gateway", timeout=60).json()["orders"] for replica in replicas]
    assert all(orders), orders


def test_nginx_sends_all_pages_of_a_search_to_one_replica(page: str, replicas: tuple[str, str], tmp_path: Path) -> None:
    nginx, port = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"), free_port()
    if nginx is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    (config,) = fenced(page, "nginx")
    places = [f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    http = "\n".join([*places, "access_log off;", placed(config, replicas, port)])
    file = tmp_path / "nginx.conf"
    file.write_text(f"daemon off;\npid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{http}\n}}\n", encoding="utf-8")
    command = [nginx, "-c", str(file), "-e", str(tmp_path / "error.log")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with balanced(command, port) as url:
        check_pages(url, replicas)


def test_haproxy_sends_all_pages_of_a_search_to_one_replica(
    page: str, replicas: tuple[str, str], tmp_path: Path
) -> None:
    haproxy, port = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"), free_port()
    if haproxy is None:
        pytest.skip("haproxy is not installed: apt-get install haproxy")
    (config,) = fenced(page, "haproxy")
    file = tmp_path / "haproxy.cfg"
    file.write_text(placed(config, replicas, port), encoding="utf-8")
    subprocess.run([haproxy, "-c", "-f", str(file)], check=True, capture_output=True)
    with balanced([haproxy, "-db", "-f", str(file)], port) as url:
        check_pages(url, replicas)


def test_the_other_balancers_of_the_page_are_at_least_yaml_and_cut_what_changes_between_pages(page: str) -> None:
    envoy, ingress = (yaml.safe_load(example) for example in fenced(page, "yaml"))
    assert envoy["clusters"][0]["lb_policy"] == "RING_HASH"
    assert set(re.findall(r'"(from|size)"', json.dumps(envoy).replace("\\", ""))) == {"from", "size"}
    hashed = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/upstream-hash-by"]
    assert f"hash {hashed} consistent;" in page
