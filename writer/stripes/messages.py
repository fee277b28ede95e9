"""Messages between a fan and its storers: values here, one JSON object each on the wire.

A storer's DEALER connects to the fan's ROUTER and says Hello. A frame is the one message that is no JSON:
``FRAME`` with the frame's number among the storer's own, and where its bytes are in the second part, which
is what the stream brought. Messages of one fan to one storer are taken in the order they were sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from layouts.stream.messages import Codec
from writer.control import ControlError
from writer.keeping import Keeping
from writer.timings import Timings

FRAME: Final = struct.Struct("<qqq")
"""Row among the storer's own, offset and length of the packed pixels in the part that follows."""


# ---------------------------------------------------------------- fan to storer


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Say Hello: sent to a storer that the fan does not know. What it has open is closed as it is."""

    type: Literal["identify"] = "identify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A capture begins; answered. Frames are counted from 0 again.

    Attributes:
        token: Of the answer.
        directory: Where the files go; the storer sees it by the same name.
        stem: What their names begin with.
        images_per_file: Rows of one of this storer's files; 0 puts all in one.
        frames_per_block: Places that go to one storer before the next has its turn.
        workers: How many there are.
        temp_suffix: Behind the names until the capture has ended.
        keeping: What is done for the safety of the files.
    """

    token: int
    directory: str
    stem: str
    images_per_file: int
    frames_per_block: int
    workers: int
    temp_suffix: str = ""
    keeping: Keeping = field(default_factory=Keeping)
    type: Literal["open"] = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Make the first file, anew if it is there with another format and nothing in it; answered."""

    token: int
    shape: tuple[int, int]
    dtype: str
    codec: Codec
    type: Literal["begin"] = "begin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The capture will have so many places."""

    rows: int
    type: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """Let readers see all frames so far; ``Progress`` says that they do."""

    type: Literal["flush"] = "flush"


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close all files; answered with their names, once they are as safe as they are to be.

    Attributes:
        token: Of the answer.
        rows: Places that the capture has.
        well: Whether all is well: else what cannot be trimmed or named stays as it is.
    """

    token: int
    rows: int
    well: bool = True
    type: Literal["close"] = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Close and remove all files, as nothing is in them; answered."""

    token: int
    type: Literal["discard"] = "discard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """End, with files closed."""

    type: Literal["shutdown"] = "shutdown"


Order = Identify | Open | Begin | Plan | Flush | Close | Discard | Shutdown


# ---------------------------------------------------------------- storer to fan


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A storer is there."""

    rank: int
    pid: int
    host: str
    version: str
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A raw file was made; ``row`` is the first of the storer's own that it holds."""

    path: str
    row: int
    rows: int
    type: Literal["added"] = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is in this capture; in batches, and at least every ``control.HEARTBEAT`` seconds.

    Attributes:
        token: Of ``Open``; 0 before the first.
        taken: Frames written, or given up.
        flushed: Frames that readers can see.
        sums: Checksums of those of them that were not told of before, in order.
        timings: How long its calls of the disk took in this capture.
    """

    token: int
    taken: int
    flushed: int
    sums: tuple[int, ...] = ()
    timings: Timings = field(default_factory=Timings)
    type: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A file cannot be written on: frames beyond ``flushed`` are not stored, nor any that come."""

    token: int
    flushed: int
    sums: tuple[int, ...] = ()
    errno: int
    message: str
    type: Literal["trouble"] = "trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An order was carried out, or why not.

    Attributes:
        token: Of the order.
        files: Path and rows of the raw files there are, after ``Close``.
        errno: 0 if all went well, or unknown.
        message: Empty if all went well.
    """

    token: int
    files: tuple[tuple[str, int], ...] = ()
    errno: int = 0
    message: str = ""
    type: Literal["answer"] = "answer"


Word = Hello | Added | Progress | Trouble | Answer

_orders: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="type")])
_words: TypeAdapter[Word] = TypeAdapter(Annotated[Word, Field(discriminator="type")])


def encode(message: Order | Word) -> bytes:
    """One JSON object, UTF-8."""
    adapter: TypeAdapter[Order] | TypeAdapter[Word] = _orders if isinstance(message, Order) else _words
    return adapter.dump_json(message)  # pyright: ignore[reportArgumentType]


def order(data: bytes) -> Order:
    """What a fan says.

    Raises:
        ControlError: It cannot be understood.
    """
    try:
        return _orders.validate_json(data)
    except ValidationError as error:
        raise _unknown(error) from None


def word(data: bytes) -> Word:
    """What a storer says.

    Raises:
        ControlError: It cannot be understood.
    """
    try:
        return _words.validate_json(data)
    except ValidationError as error:
        raise _unknown(error) from None


def _unknown(error: ValidationError) -> ControlError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "message"
    return ControlError(
        f"message between fan and storer not understood: {where}: {first['msg']}; are both of one version?"
    )
