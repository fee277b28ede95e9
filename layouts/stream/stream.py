"""Either version of the Dectris stream: which one a message is of, and its reader and writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, cast

from layouts.stream import cbor, fields, v1, v2
from layouts.stream.errors import StreamError
from layouts.stream.messages import End, Image, Message, Start

Part = bytes | memoryview


class Encoder(Protocol):
    """What writes one version's messages, as lists of parts."""

    def encode_start(self, start: Start) -> list[bytes | memoryview]:
        """A start message.

        Raises:
            StreamError: It cannot be said in this version.
        """
        ...

    def encode_image(self, image: Image) -> list[bytes | memoryview]:
        """An image message.

        Raises:
            StreamError: It cannot be said in this version.
        """
        ...

    def encode_end(self, end: End) -> list[bytes | memoryview]:
        """An end message.

        Raises:
            StreamError: It cannot be said in this version.
        """
        ...


_ENCODERS: Final = {1: cast("Encoder", v1), 2: cast("Encoder", v2)}


def encoder(version: int) -> Encoder:
    """The writer of a version.

    Raises:
        StreamError: There is no such version.
    """
    if version not in _ENCODERS:
        raise StreamError(f"version {version}", "stream", "1 and 2 are right")
    return _ENCODERS[version]


def version_of(parts: Sequence[Part]) -> int:
    """The version of a message, from its first byte.

    Raises:
        StreamError: It is of neither.
    """
    first = parts[0][:1] if parts else b""
    if first == b"{":
        return 1
    # A map, with or without the self-described tag.
    if first and (first[0] == cbor.SELF_DESCRIBED_BYTES[0] or first[0] >> 5 == 5):
        return 2
    raise fields.fault(f"begins with {bytes(first).hex() or 'nothing'}, neither JSON nor CBOR", "part 1")


class Peek(NamedTuple):
    """What a message is, without its values."""

    version: int
    kind: type[Start | Image | End]
    series: int
    frame: int | None
    """Of an image only."""


def peek(first: Part) -> Peek:
    """What a message is, from its first part.

    Raises:
        StreamError: It is of neither version, or damaged.
    """
    if version_of([first]) == 1:
        return Peek(1, *v1.peek(first))
    message = v2.decode([first])
    frame = message.frame if isinstance(message, Image) else None
    return Peek(2, type(message), message.series, frame)


def decode(parts: Sequence[Part]) -> Message:
    """Read a message of either version.

    Args:
        parts: All its parts; arrays and pixels of the result are views of them.

    Raises:
        StreamError: It is of neither version, or damaged.
    """
    return v1.decode(parts) if version_of(parts) == 1 else v2.decode(parts)
