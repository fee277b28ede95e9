"""Messages of the Dectris stream as values, the same for both versions.

``Start.config`` keeps a start message's own words and order, so that encoding what was decoded gives the
same bytes; ``SeriesParameters`` says the same in one vocabulary, whatever the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Codec(StrEnum):
    """How pixels are packed."""

    BSLZ4 = "bslz4"
    LZ4 = "lz4"
    NONE = "none"
    BSZSTD = "bszstd"
    """In files only: no detector sends it."""


SENT: Final = (Codec.BSLZ4, Codec.LZ4, Codec.NONE)
"""Those that a stream may carry."""


class HeaderDetail(StrEnum):
    """How much a start message tells."""

    ALL = "all"
    BASIC = "basic"
    NONE = "none"


class Rational(NamedTuple):
    """A time in ticks: version 2 sends it so; version 1 sends ns, denominator 1 000 000 000."""

    numerator: int
    denominator: int

    @property
    def nanoseconds(self) -> int:
        """Rounded down to whole ns."""
        return self.numerator * 1_000_000_000 // self.denominator


class GoniometerAxis(NamedTuple):
    """What a detector was told of an axis: degrees at the first frame, and from frame to frame."""

    start: float
    increment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Pixels of one channel of one frame.

    Attributes:
        channel: "threshold_1", ...
        shape: Pixels, (slow, fast).
        dtype: "uint8", "uint16" or "uint32".
        codec: How they are packed.
        framed: False only for version 1's lz4, which has no header; HDF5's filter wants one.
        data: The packed bytes; for bslz4 exactly what HDF5's filter 32008 stores.
    """

    channel: str
    shape: tuple[int, int]
    dtype: str
    codec: Codec
    data: bytes | memoryview
    framed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start of a series, sent at arm.

    Attributes:
        version: Of the stream, 1 or 2.
        series: The detector's number.
        unique_id: ULID of version 2.
        detail: How much it tells.
        config: Its values in the version's own words and order, without arrays; empty for version 1's "none".
        flatfield: By channel, float32 (slow, fast).
        pixel_mask: By channel, uint32 (slow, fast).
        countrate_table: As sent: float32 (2, n) in version 1, uint32 (n,) in version 2.
        appendix: The header appendix or user data.
    """

    version: int
    series: int
    unique_id: str | None = None
    detail: HeaderDetail
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    flatfield: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    pixel_mask: Mapping[str, NDArray[np.uint32]] = field(default_factory=dict[str, NDArray[np.uint32]])
    countrate_table: NDArray[Any] | None = None
    appendix: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One frame."""

    series: int
    unique_id: str | None = None
    frame: int
    payloads: tuple[Payload, ...]
    start_time: Rational
    stop_time: Rational
    real_time: Rational
    series_date: str | None = None
    appendix: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """End of a series; says neither how many frames there were nor why."""

    series: int
    unique_id: str | None = None


Message = Start | Image | End


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesParameters:
    """What a start message says, in one vocabulary; None is what it did not say.

    Units are SI but for energies (eV), wavelength (Angstrom) and angles (degrees); sizes are (fast, slow).
    """

    arm_date: str | None = None
    images: int | None = None
    """Frames of the whole series, over all triggers."""
    images_per_trigger: int | None = None
    triggers: int | None = None
    trigger_mode: str | None = None
    """SIMPLON's ints, inte, exts, exte; version 1 only."""
    count_time: float | None = None
    frame_time: float | None = None
    readout_time: float | None = None
    energy: float | None = None
    wavelength: float | None = None
    threshold_energy: Mapping[str, float] = field(default_factory=dict[str, float])
    channels: tuple[str, ...] = ("threshold_1",)
    goniometer: Mapping[str, GoniometerAxis] = field(default_factory=dict[str, GoniometerAxis])
    """By SIMPLON's names: omega, chi, kappa, phi, two_theta."""
    image_size: tuple[int, int] | None = None
    dtype: str | None = None
    bit_depth_image: int | None = None
    bit_depth_readout: int | None = None
    beam_center: tuple[float, float] | None = None
    detector_distance: float | None = None
    detector_translation: tuple[float, float, float] | None = None
    description: str | None = None
    serial_number: str | None = None
    pixel_size: tuple[float, float] | None = None
    sensor_material: str | None = None
    sensor_thickness: float | None = None
    saturation_value: int | None = None
    countrate_cutoff: int | None = None
    countrate_correction_applied: bool | None = None
    flatfield_applied: bool | None = None
    pixel_mask_applied: bool | None = None
    virtual_pixel_correction_applied: bool | None = None
    software_version: str | None = None
    firmware_version: str | None = None
