"""Bodies that clients send packed, and how large they may become."""

from __future__ import annotations

import zlib

from prorank_search.errors import TooLargeError

_MAGIC = b"\x1f\x8b"
_STEP = 4096
"""Bytes that are unpacked at a time: what follows a short member is copied once for each."""


def unzipped(body: bytes, most: int) -> bytes:
    """Return what a body in gzip holds.

    Args:
        body: In gzip, of one member or several; one that was cut off gives what is there, and what follows the members
            is left unread.
        most: Bytes at most.

    Raises:
        TooLargeError: It is larger than that.
        zlib.error: It is not in gzip.

    Example:
        >>> import gzip
        >>> unzipped(gzip.compress(b"{}"), 10)
        b'{}'
    """
    packed, unpacked, at = memoryview(body), bytearray(), 0
    while at == 0 or body.startswith(_MAGIC, at):
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not unpacker.eof and at < len(packed):
            step = packed[at : at + _STEP]
            unpacked += unpacker.decompress(step, most + 1 - len(unpacked))
            if len(unpacked) > most:
                raise TooLargeError(
                    f"the body has more than {most} bytes when it is unpacked: send less, or set max_body_mb"
                )
            at += len(step) - len(unpacker.unused_data)
        if not unpacker.eof:
            break
    return bytes(unpacked)
