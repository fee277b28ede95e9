"""Checksums of packed frames, kept beside them so that a frame that has changed since is found.

XXH3, 64 bits, seed 0: of what has a well-kept wheel it takes the least processor time for each byte (the disk
that damages a frame does not do it on purpose, so nothing cryptographic is needed).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

Digest = Callable[[bytes | memoryview], int]
"""An unsigned number of 64 bits for a packed frame."""

COLUMN: Final = "checksum"
"""Column of a meta file, uint64, beside those of ``layouts.raw.names.Column``, where checksums are kept."""
ALGORITHM: Final = "algorithm"
"""Attribute of the column: one of ``Checksum``."""


class Checksum(StrEnum):
    """What is computed of every packed frame."""

    NONE = "none"
    XXH3 = "xxh3"


def digest_of(kind: Checksum) -> Digest | None:
    """What computes a checksum; nothing for none."""
    if kind is Checksum.NONE:
        return None
    import xxhash  # not needed where frames have no checksums

    return xxhash.xxh3_64_intdigest
