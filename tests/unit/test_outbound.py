from __future__ import annotations

import socket

import pytest

from prorank_search.errors import ConfigError
from prorank_search.outbound import check_url

METADATA = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://[fd00:ec2::254]/latest",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fe80::a9fe:a9fe]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://Metadata.Google.Internal./",
    "http://user@169.254.169.254:80/",
]
OTHERS = ["http://127.0.0.1:9200", "https://10.0.0.7/v1/rerank", "http://[::1]:8080", "http://localhost:9200"]


@pytest.mark.parametrize("url", METADATA)
def test_a_metadata_service_is_refused_however_its_address_is_written(url: str) -> None:
    with pytest.raises(ConfigError, match=r"for the remote rescorer.*metadata service"):
        check_url(url, "the remote rescorer")


@pytest.mark.parametrize("url", OTHERS)
def test_other_addresses_are_let_through(url: str) -> None:
    check_url(url, "the remote rescorer")


def test_a_name_that_points_at_a_metadata_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def points_there(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        assert host == "harmless.example"
        addresses = ("10.0.0.7", "169.254.169.254")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", points_there)
    with pytest.raises(ConfigError, match=r"'harmless\.example'.*169\.254\.169\.254"):
        check_url("https://harmless.example/rerank", "the remote rescorer")


def test_a_name_that_nobody_knows_is_left_to_whoever_asks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    check_url("https://nobody.example/rerank", "the remote rescorer")


@pytest.mark.parametrize("url", ["", "10.0.0.7:80", "file:///etc/passwd", "ftp://a/b", "http://", "http://a:port/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="no address for the remote rescorer"):
        check_url(url, "the remote rescorer")
