"""What the coordinator and the preview process say to each other: values here, JSON on the wire.

Arrays follow a message as parts of their own, as they lie in memory, with their names and types in the
message. Frames come from the workers, each with a head of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from writer.preview.pipeline import Result
from writer.preview.settings import Settings

HEARTBEAT: Final = 0.5
"""Longest time between two messages of the preview process, s."""


class PreviewError(ValueError):
    """A message that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The preview process is there; workers connect to the endpoint."""

    endpoint: str
    type: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """It is still there."""

    type: Literal["alive"] = "alive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a detector's previews are to compute from now on."""

    detector: str
    settings: Settings
    type: Literal["ask"] = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A frame could not be unpacked."""

    detector: str
    series: int
    number: int
    why: str
    type: Literal["damaged"] = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What a plugin has made of a frame; the arrays follow.

    Attributes:
        arrays: Name, type and shape of each.
        skipped: Frames of the detector that were passed over, of the life of the process.
        is_row: Whether what was made, or looked at, has one dimension.
    """

    detector: str
    plugin: str
    series: int
    number: int
    arrival: float
    shape: tuple[int, int]
    dtype: str
    values: dict[str, float]
    arrays: tuple[tuple[str, str, tuple[int, ...]], ...]
    took: float
    skipped: int = 0
    is_row: bool = False
    type: Literal["computed"] = "computed"


Message = Ready | Alive | Ask | Damaged | Computed

_adapter: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def encode(message: Message) -> bytes:
    """The first part of a message."""
    return _adapter.dump_json(message)


def decode(data: bytes | memoryview) -> Message:
    """A message from its first part.

    Raises:
        PreviewError: It is none.
    """
    try:
        return _adapter.validate_json(bytes(data))
    except ValidationError as error:
        raise PreviewError(f"not a message of the previews: {error.errors()[0]['msg']}") from None


def of_result(detector: str, result: Result, skipped: int) -> list[bytes | memoryview]:
    """A result as the parts of a message."""
    arrays = tuple((name, array.dtype.str, array.shape) for name, array in result.arrays.items())
    head = Computed(
        detector=detector,
        plugin=result.plugin,
        series=result.series,
        number=result.number,
        arrival=result.arrival,
        shape=result.shape,
        dtype=result.dtype,
        values=result.values,
        arrays=arrays,
        took=result.took,
        skipped=skipped,
        is_row=result.is_row,
    )
    return [encode(head), *(array.data.cast("B") for array in result.arrays.values())]


def arrays_of(head: Computed, parts: Sequence[bytes | memoryview]) -> dict[str, NDArray[Any]]:
    """The arrays that follow a result; views of the message.

    Raises:
        PreviewError: They are not those that the head tells of.
    """
    try:
        return {
            name: np.frombuffer(part, dtype).reshape(shape)
            for (name, dtype, shape), part in zip(head.arrays, parts, strict=True)
        }
    except ValueError as error:
        raise PreviewError(f"arrays of a result: {error}") from None
