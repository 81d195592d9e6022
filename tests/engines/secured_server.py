"""An OpenSearch with its security plugin: users, roles and https, as a cluster has them that people search."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from prorank_search.local import engine, node
from prorank_search.local.lock import DEFAULT_VERSION
from prorank_search.maven import fetch, relative_path
from tests.engines.servers import QUICK_START, UP_TIMEOUT_S, open_folder

PLUGIN = "org.opensearch.plugin:opensearch-security:2.19.1.0:zip"
SHA256 = "94a04f12ac6033902209fac1e4e512618d45beee604bbf0e42c3ed79c55220cf"
ADMIN = ("admin", "admin")
"""The plugin's demonstration user; the server listens on loopback, and is gone after the tests."""

_SETTINGS = """\
plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: node.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: node.pem
plugins.security.nodes_dn: ["CN=node"]
plugins.security.allow_default_init_securityindex: true
plugins.security.restapi.roles_enabled: ["all_access"]
"""


@dataclass(frozen=True)
class Secured:
    """A server that asks who somebody is.

    Attributes:
        url: Where it answers, by https.
        certificate: What its certificate is checked against.
        log: The file with what it says.
    """

    url: str
    certificate: Path
    log: Path

    @property
    def trust(self) -> ssl.SSLContext:
        """What trusts its certificate."""
        return ssl.create_default_context(cafile=self.certificate)

    def client(self, user: tuple[str, str] = ADMIN) -> httpx.Client:
        """Return a client that asks as a user."""
        return httpx.Client(base_url=self.url, verify=self.trust, auth=user, timeout=60)


def is_here(home: Path) -> bool:
    """Tell whether server and plugin were fetched."""
    return engine.is_prepared(DEFAULT_VERSION, home) and (home / "maven" / relative_path(PLUGIN)).is_file()


def fetch_plugin(home: Path) -> Path:
    """Return the plugin's archive, fetched unless it was before."""
    return fetch({PLUGIN: SHA256}, home / "maven")[PLUGIN]


@contextmanager
def run_secured(home: Path) -> Iterator[Secured]:
    """Run a server with the plugin, on a free port with an empty data folder; it is gone afterwards."""
    openssl = shutil.which("openssl")
    if openssl is None or not is_here(home):
        pytest.skip("OpenSearch's security plugin (or openssl) is not here: make test-engines fetches it")
    with open_folder() as folder:
        prepared = engine.prepare(DEFAULT_VERSION, home, node.free_port(), lambda _step, _done: None, with_ml=False)
        tree = shutil.copytree(prepared.tree, folder / "tree")
        config = folder / "node" / "config"
        with zipfile.ZipFile(fetch_plugin(home)) as archive:
            archive.extractall(tree / "plugins" / "opensearch-security")
        shutil.copytree(tree / "plugins" / "opensearch-security" / "config", config / "opensearch-security")
        _certify(openssl, config)
        certificate = Path(shutil.copy(config / "node.pem", folder / "ca.pem"))
        own = replace(
            prepared, tree=tree, folder=folder / "node", settings=_SETTINGS.splitlines(), java_options=QUICK_START
        )
        process = node.start(own)
        try:
            secured = Secured(own.url.replace("http:", "https:"), certificate, own.log)
            _wait_until_up(secured, process)
            yield secured
        finally:
            process.kill()
            process.wait()


def _certify(openssl: str, folder: Path) -> None:
    """Make a certificate for 127.0.0.1, and its key."""
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=node"]
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "node.key", "-out", "node.pem"]
    subprocess.run([*made, *named], cwd=folder, check=True, capture_output=True)


def _wait_until_up(secured: Secured, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + UP_TIMEOUT_S
    with secured.client() as admin:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if admin.get("/_cluster/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    message = f"the server with the security plugin is not up:\n{node.last_words(secured.log)}"
    raise TimeoutError(message)
