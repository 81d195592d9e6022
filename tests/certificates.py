"""Certificates for tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def certified(folder: Path, name: str, *protection: str) -> tuple[Path, Path]:
    """Make a certificate of its own for 127.0.0.1; return it and its key, as PEM files.

    Args:
        folder: Where they lie.
        name: Whose it is.
        protection: openssl's options for the key; none: it lies there in clear.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
    named = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*made, *named, *(protection or ("-nodes",))], check=True, capture_output=True)
    return cert, key
