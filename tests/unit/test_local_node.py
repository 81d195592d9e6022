from __future__ import annotations

import os
from pathlib import Path

import pytest

from prorank_search.local.account import Account
from prorank_search.local.node import Node, start


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server has an account of its own")
def test_root_writes_through_nothing_that_the_servers_account_left(tmp_path: Path) -> None:
    elsewhere, node = tmp_path / "elsewhere", tmp_path / "node"
    elsewhere.mkdir()
    node.mkdir(mode=0o777)
    secret = elsewhere / "secret"
    secret.write_text("of root", encoding="utf-8")
    (node / "server.log").symlink_to(secret)
    (node / "config").symlink_to(elsewhere)
    account = Account(os.geteuid(), os.getegid())
    start(Node(tmp_path, node, 9200, Path("/bin/true"), 2, account=account)).wait()
    assert secret.read_text(encoding="utf-8") == "of root"
    assert list(elsewhere.iterdir()) == [secret]
    (node / "config" / "opensearch.yml").unlink()
    (node / "config" / "opensearch.yml").symlink_to(secret)
    start(Node(tmp_path, node, 9200, Path("/bin/true"), 2, account=account)).wait()
    assert secret.read_text(encoding="utf-8") == "of root"
    assert not (node / "config").is_symlink()
    assert "http.port: 9200" in (node / "config" / "opensearch.yml").read_text(encoding="utf-8")
