"""Reading a body piece by piece, unpacked, and never more of it than is accepted."""

import zlib
from collections.abc import Iterable, Iterator

from strandline.fetching.results import FailureReason, FetchFailed
from strandline.fetching.wire import Deadline, too_large

ACCEPTED_CODINGS = "gzip, deflate"
_PIECE = 65536  # bytes unpacked at a time


def read_body(raw: Iterable[bytes], coding: str, *, max_bytes: int, deadline: Deadline) -> bytes:
    """Return the unpacked body; ``coding`` is the value of Content-Encoding.

    At most ``max_bytes`` and one piece are ever in memory. Raises :class:`FetchFailed`.
    """
    body = bytearray()
    for piece in _unpacked(raw, coding):
        body += piece
        if len(body) > max_bytes:
            raise too_large(max_bytes)
        deadline.remaining()
    return bytes(body)


def _unpacked(raw: Iterable[bytes], coding: str) -> Iterable[bytes]:
    # One layer, as asked for: a second one would hide a bomb whose middle is never counted.
    match coding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _inflated(raw, zlib.MAX_WBITS | 16)
        case "deflate":
            return _inflated(raw, zlib.MAX_WBITS)
        case _:
            raise FetchFailed(
                FailureReason.BAD_RESPONSE,
                "The answer is packed in a way that was not asked for, so it cannot be read.",
            )


def _inflated(raw: Iterable[bytes], window: int) -> Iterator[bytes]:
    """Unpack gzip (RFC 1952) or deflate (RFC 1950, or bare RFC 1951 as some servers send it)."""
    unpacker = zlib.decompressobj(window)
    first = True
    seen = False
    try:
        for packed in raw:
            data = packed
            if first and data and window == zlib.MAX_WBITS and not _has_zlib_header(data):
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            first = first and not data
            while data and not unpacker.eof:
                seen = True
                piece = unpacker.decompress(data, _PIECE)
                yield piece
                data = unpacker.unconsumed_tail
            # What follows the end is ignored, as browsers do; it is counted on the wire.
    except zlib.error:
        raise _broken() from None
    if seen and not unpacker.eof:
        raise _broken()


def _has_zlib_header(data: bytes) -> bool:
    return data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] * 256 + data[1]) % 31 == 0)


def _broken() -> FetchFailed:
    return FetchFailed(
        FailureReason.BAD_RESPONSE, "The answer is packed, and damaged or cut off, so it was left."
    )
