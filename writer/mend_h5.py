"""A file that HDF5 could not close is made one that readers open: the marks of its writer are taken off.

HDF5 marks the superblock (version 3) of a file that is being written, and plain readers refuse it until it
is closed. What SWMR has flushed is whole nevertheless. As ``h5clear --status --increment=0`` does, but here
no file is ever cut short.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Final

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_VERSION: Final = 3
_FLAGS: Final = 11
"""Where the marks are; signature, version and the sizes of offsets and lengths stand before them."""
_END: Final = 28
"""Where the end of the file is told, 8 bytes."""
_SUM: Final = 44
"""Where the checksum of all before it is, 4 bytes."""
_MASK: Final = 0xFFFFFFFF


def mend(path: Path) -> None:
    """Take the marks of a writer off a file; nothing else in it changes.

    Raises:
        OSError: The system refuses, or it is no file of ours.
    """
    with path.open("r+b", buffering=0) as file:
        block = bytearray(os.pread(file.fileno(), _SUM + 4, 0))
        if len(block) < _SUM + 4 or block[:8] != _SIGNATURE or block[8] != _VERSION or block[9] != 8:
            raise OSError(errno.EILSEQ, "its superblock is not one of ours", str(path))
        block[_FLAGS] = 0
        struct.pack_into("<Q", block, _END, os.fstat(file.fileno()).st_size)
        struct.pack_into("<I", block, _SUM, checksum(bytes(block[:_SUM])))
        os.pwrite(file.fileno(), block, 0)


def checksum(data: bytes) -> int:
    """Jenkins' lookup3 of bytes, at least one, as HDF5 keeps it of its own blocks: ``hashlittle`` from 0."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    padded = data + bytes(-len(data) % 12)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for at in range(0, len(words) - 3, 3):
        a, b, c = _mix((a + words[at]) & _MASK, (b + words[at + 1]) & _MASK, (c + words[at + 2]) & _MASK)
    a, b, c = (a + words[-3]) & _MASK, (b + words[-2]) & _MASK, (c + words[-1]) & _MASK
    for turn in (14, 11, 25, 16, 4, 14, 24):
        a, b, c = b, ((c ^ b) - _turned(b, turn)) & _MASK, a
    return b


def _turned(value: int, by: int) -> int:
    return ((value << by) | (value >> (32 - by))) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for turn in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & _MASK) ^ _turned(c, turn)
        c = (c + b) & _MASK
        a, b, c = b, c, a
    return a, b, c
