"""Bodies that clients send packed, and how large they may become."""

from __future__ import annotations

import zlib

from prorank_search.errors import TooLargeError


def unzipped(body: bytes, most: int) -> bytes:
    """Return what a body in gzip holds.

    Args:
        body: In gzip; one that was cut off gives what is there.
        most: Bytes at most.

    Raises:
        TooLargeError: It is larger than that.
        zlib.error: It is not in gzip.

    Example:
        >>> import gzip
        >>> unzipped(gzip.compress(b"{}"), 10)
        b'{}'
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = unpacker.decompress(body, most + 1)
    if len(unpacked) > most:
        raise TooLargeError(f"the body has more than {most} bytes when it is unpacked: send less, or set max_body_mb")
    return unpacked
