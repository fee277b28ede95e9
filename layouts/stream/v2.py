"""Stream V2: one CBOR map a message, as Dectris documents it (tag 56500) and detectors send it.

Every message is read by the strict walker; a program that reads thousands of images a second asks
``frames`` first. Shapes are (slow, fast), as on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from layouts.stream import cbor, fields, v2_arrays, v2_image
from layouts.stream.cbor import Tagged
from layouts.stream.errors import StreamError
from layouts.stream.messages import End, HeaderDetail, Message, Start

Part = bytes | memoryview

encode_image = v2_image.encode

START_KEYS: Final = (
    "type",
    "series_id",
    "series_unique_id",
    "arm_date",
    "beam_center_x",
    "beam_center_y",
    "channels",
    "count_time",
    "countrate_correction_enabled",
    "countrate_correction_lookup_table",
    "detector_description",
    "detector_serial_number",
    "detector_translation",
    "flatfield",
    "flatfield_enabled",
    "frame_time",
    "goniometer",
    "image_dtype",
    "image_size_x",
    "image_size_y",
    "incident_energy",
    "incident_wavelength",
    "number_of_images",
    "pixel_mask",
    "pixel_mask_enabled",
    "pixel_size_x",
    "pixel_size_y",
    "saturation_value",
    "sensor_material",
    "sensor_thickness",
    "threshold_energy",
    "virtual_pixel_interpolation_enabled",
    "user_data",
)
"""Order of a start message's keys."""

_TABLE: Final = "countrate_correction_lookup_table"
_OUTSIDE: Final = ("type", "series_id", "series_unique_id", _TABLE, "flatfield", "pixel_mask", "user_data")
"""Keys that are not part of ``Start.config``."""
_DATES: Final = ("arm_date",)
_PLACE: Final = {key: place for place, key in enumerate(START_KEYS)}


def encode_start(start: Start) -> list[bytes | memoryview]:
    """A start message.

    Arrays are sent with detail "all" only; "none" and "basic" are the same here.

    Raises:
        StreamError: A value has no form in CBOR, a key of the config is said elsewhere in ``Start``, or the
            unique id is missing.
    """
    if said := sorted(set(_OUTSIDE) & set(start.config)):
        raise StreamError(
            f"{', '.join(said)} in the config",
            "start",
            "these have fields of their own in Start; put them there",
        )
    outside: dict[str, Any] = {"type": "start", "series_id": start.series, "series_unique_id": _unique(start)}
    if start.detail is HeaderDetail.ALL:
        if start.countrate_table is not None:
            outside[_TABLE] = v2_arrays.tagged_vector(start.countrate_table, "uint32")
        if start.flatfield:
            outside["flatfield"] = v2_arrays.tagged_channels(start.flatfield, "float32")
        if start.pixel_mask:
            outside["pixel_mask"] = v2_arrays.tagged_channels(start.pixel_mask, "uint32")
    if start.appendix is not None:
        outside["user_data"] = start.appendix
    pieces: list[Part] = [cbor.SELF_DESCRIBED_BYTES]
    cbor.write(_ordered(outside, start.config), pieces, "start")
    return [b"".join(pieces)]


def encode_end(end: End) -> list[bytes | memoryview]:
    """An end message.

    Raises:
        StreamError: The unique id is missing.
    """
    message = {"type": "end", "series_id": end.series, "series_unique_id": _unique(end)}
    return [cbor.SELF_DESCRIBED_BYTES + cbor.encode(message)]


def decode(parts: Sequence[Part]) -> Message:
    """Read a message.

    Args:
        parts: Its one part; arrays and pixels of the result are views of it.

    Raises:
        StreamError: It is no message of version 2.
    """
    if len(parts) != 1:
        raise fields.fault(f"{len(parts)} parts, version 2 sends one", "message")
    message = fields.mapping(cbor.decode(parts[0]), "message")
    match message.get("type"):
        case "image":
            return v2_image.from_map(message)
        case "start":
            return _start(message)
        case "end":
            return End(series=fields.number(message, "series_id", "end"), unique_id=_read_unique(message))
        case other:
            raise fields.fault(f"type {str(other)[:40]!r}, neither start, image nor end", "message")


def _start(message: dict[Any, Any]) -> Start:
    table = message.get(_TABLE)
    flatfield = v2_arrays.channels(message.get("flatfield"), "float32", "flatfield")
    mask = v2_arrays.channels(message.get("pixel_mask"), "uint32", "pixel_mask")
    everything = bool(flatfield or mask or table is not None)
    return Start(
        version=2,
        series=fields.number(message, "series_id", "start"),
        unique_id=_read_unique(message),
        detail=HeaderDetail.ALL if everything else HeaderDetail.BASIC,
        config={
            key: fields.date(value, key) if key in _DATES else cbor.owned(value)
            for key, value in message.items()
            if key not in _OUTSIDE
        },
        flatfield=flatfield,
        pixel_mask=mask,
        countrate_table=None if table is None else v2_arrays.vector(table, _TABLE),
        appendix=cbor.owned(message.get("user_data")),
    )


def _read_unique(message: dict[Any, Any]) -> str | None:
    return fields.text(message, "series_unique_id", "message") if "series_unique_id" in message else None


def _unique(message: Start | End) -> str:
    if message.unique_id is None:
        raise StreamError("no unique id", f"series {message.series}", "version 2 sends one; give it")
    return message.unique_id


def _ordered(outside: dict[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """All keys of a start message: the config's in its own order, the others where detectors have them."""
    keys = list(config)
    for key in outside:
        place = _PLACE[key]
        before = [i for i, other in enumerate(keys) if _PLACE.get(other, len(_PLACE)) < place]
        keys.insert(before[-1] + 1 if before else 0, key)
    if "user_data" in outside:
        # It ends the message, behind keys that later firmware may add.
        keys.append(keys.pop(keys.index("user_data")))
    dated = {key: Tagged(cbor.DATE_TIME, config[key]) for key in _DATES if key in config}
    return {key: (outside | dated).get(key, config.get(key)) for key in keys}
