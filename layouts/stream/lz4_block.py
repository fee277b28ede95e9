"""One raw block of LZ4 in plain Python, for the two cases that HDF5's filter cannot be asked about.

Both are rare: pixels that do not compress at all, and a block that happens to be as long as its pixels.
"""

from __future__ import annotations

from layouts.stream.errors import StreamError

_RESEND = "the frame was damaged or packed by something else"


def literal(plain: memoryview) -> bytes:
    """A block that holds bytes as they are: a token, their count, themselves."""
    count = len(plain)
    if count < 15:
        return bytes((count << 4,)) + plain.tobytes()
    more, last = divmod(count - 15, 255)
    return b"".join((b"\xf0", b"\xff" * more, bytes((last,)), plain))


def expand(block: memoryview, size: int) -> bytes:
    """The ``size`` bytes that a block holds.

    Raises:
        StreamError: It holds another number of them, or is damaged.
    """
    out = bytearray()
    position = 0
    try:
        while position < len(block):
            token = block[position]
            literals, position = _count(block, position + 1, token >> 4)
            if position + literals > len(block):
                raise StreamError("a block of lz4 is cut short", "payload", _RESEND)
            out += block[position : position + literals]
            position += literals
            if position == len(block):
                break
            offset = block[position] | block[position + 1] << 8
            match, position = _count(block, position + 2, token & 15)
            _repeat(out, offset, match + 4, size)
    except IndexError:
        raise StreamError("a block of lz4 is cut short", "payload", _RESEND) from None
    if len(out) != size:
        raise StreamError(f"a block of lz4 holds {len(out)} bytes, not {size}", "payload", _RESEND)
    return bytes(out)


def _count(block: memoryview, position: int, nibble: int) -> tuple[int, int]:
    if nibble < 15:
        return nibble, position
    while block[position] == 255:
        nibble += 255
        position += 1
    return nibble + block[position], position + 1


def _repeat(out: bytearray, offset: int, length: int, size: int) -> None:
    if not 0 < offset <= len(out) or len(out) + length > size:
        raise StreamError("a block of lz4 refers to bytes it does not have", "payload", _RESEND)
    pattern = bytes(out[-offset:])
    out += (pattern * (length // offset + 1))[:length]
