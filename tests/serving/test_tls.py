from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from prorank_search.errors import ConfigError
from prorank_search.rescorers.overlap import OverlapRescorer
from prorank_search.serving import tls
from prorank_search.serving.http_upstream import HttpUpstream
from prorank_search.settings import Settings
from tests.certificates import certified
from tests.serving.live import Served
from tests.serving.stub_engine import StubEngine

Certify = Callable[..., tuple[Path, Path]]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """Makes a certificate of its own for 127.0.0.1, and its key."""
    return partial(certified, tmp_path)


def test_without_a_certificate_nothing_is_encrypted() -> None:
    assert tls.context_of(None, None) is None


def test_one_file_without_the_other_is_refused(certify: Certify) -> None:
    cert, key = certify("one")
    for pair in ((cert, None), (None, key)):
        with pytest.raises(ConfigError, match="belong together"):
            tls.context_of(*pair)


def test_what_cannot_be_used_is_told_before_the_service_starts(certify: Certify, tmp_path: Path) -> None:
    cert, key = certify("one")
    _, other = certify("other")
    _, locked = certify("locked", "-passout", "pass:hush")
    prose = tmp_path / "prose.pem"
    prose.write_text("no certificate")
    for pair, message in {
        (tmp_path / "nowhere.pem", key): r"tls_cert = '.*nowhere\.pem' cannot be read: No such file",
        (cert, tmp_path): r"tls_key = '.*' cannot be read: Is a directory",
        (cert, other): "the key is not the certificate's",
        (cert, locked): "the key has a password",
        (prose, key): "in PEM form",
        (cert, prose): "in PEM form",
    }.items():
        with pytest.raises(ConfigError, match=message):
            tls.context_of(*pair)


def test_a_new_certificate_that_cannot_be_used_leaves_the_old_one_in_force(certify: Certify) -> None:
    cert, key = certify("one")
    _, other = certify("other")
    context = tls.context_of(cert, key)
    assert context is not None
    with pytest.raises(ConfigError):
        tls.load(context, cert, other)
    tls.load(context, cert, key)


def test_the_service_answers_by_https_and_reads_a_new_certificate_on_sighup(certify: Certify) -> None:
    cert, key = certify("old")
    command = [str(Path(sys.executable).with_name("prorank")), "serve", "--rescorer", "overlap", "--port", "0"]
    files = ["--tls-cert", str(cert), "--tls-key", str(key)]
    with subprocess.Popen([*command, *files], stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        url = process.stderr.readline().partition(" ")[0]
        assert url.startswith("https://127.0.0.1:")
        old = ssl.create_default_context(cafile=str(cert))
        assert httpx.get(f"{url}/health", verify=old, timeout=60).status_code == httpx.codes.OK
        new_cert, new_key = certify("new")
        cert.write_bytes(new_cert.read_bytes())
        key.write_bytes(new_key.read_bytes())
        process.send_signal(signal.SIGHUP)
        while "read again" not in process.stderr.readline():
            pass
        new = ssl.create_default_context(cafile=str(new_cert))
        assert httpx.get(f"{url}/health", verify=new, timeout=60).status_code == httpx.codes.OK
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{url}/health", verify=old, timeout=60)
        key.write_text("no key")
        process.send_signal(signal.SIGHUP)
        while "previous certificate stays in use" not in process.stderr.readline():
            pass
        assert httpx.get(f"{url}/health", verify=new, timeout=60).status_code == httpx.codes.OK
        process.terminate()
        process.communicate()
        assert process.returncode == 0


def test_a_client_certificate_is_the_services_account_and_no_callers(
    serve: Callable[..., Served], engine: StubEngine, certify: Certify
) -> None:
    cert, key = certify("client")
    ours: dict[str, Any] = {"url": engine.url, "engine_client_cert": cert, "engine_client_key": key}
    with pytest.raises(ConfigError, match=r"engine_client_cert.*gateway_account = 'service'"):
        HttpUpstream(Settings(**ours))
    served = serve(OverlapRescorer(), gateway_account="service", **ours)
    headers = {"authorization": "Basic eA==", "es-security-runas-user": "adam", "x-opaque-id": "7"}
    assert served.http.get("/books", headers=headers).status_code == 200
    assert (engine.headers["authorization"], engine.headers["x-opaque-id"]) == ("Basic eA==", "7")
    assert "es-security-runas-user" not in engine.headers
