"""Small messages of either version, and whether two messages say the same."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from layouts.stream import stream
from layouts.stream.messages import End, HeaderDetail, Image, Message, Payload, Rational, Start

ULID = "01HZSOFTBEAM0000000000TEST"
DATE = "2026-01-02T03:04:05.678+01:00"
CHANNEL = "threshold_1"
NS = 10**9
QUARTZ = 50_000_000


def config_v1() -> dict[str, Any]:
    """A few of the 48 values, with the kinds of numbers that printers disagree about."""
    return {
        "beam_center_x": 1.5,
        "count_time": 0.0999999,
        "data_collection_date": DATE,
        "detector_readout_time": 7.540540540540541e-6,
        "detector_translation": [0.0, 0.0, -0.125],
        "nimages": 3,
        "ntrigger": 2,
        "photon_energy": 12400.0,
        "roi_mode": "",
        "pixel_mask_applied": True,
        "x_pixel_size": 0.000075,
    }


def config_v2() -> dict[str, Any]:
    """Numbers of every length, an axis, and a threshold that is not streamed."""
    return {
        "arm_date": DATE,
        "beam_center_x": 1.5,
        "channels": [CHANNEL],
        "count_time": 0.0999999,
        "countrate_correction_enabled": False,
        "detector_translation": [0.0, 0.0, -0.125],
        "flatfield_enabled": True,
        "frame_time": 0.1,
        "goniometer": {"omega": {"increment": 0.1, "start": -90.0}},
        "image_dtype": "uint16",
        "image_size_x": 3,
        "image_size_y": 2,
        "incident_energy": 12400.0,
        "number_of_images": 100000,
        "pixel_mask_enabled": True,
        "pixel_size_x": 0.000075,
        "saturation_value": 65534,
        "threshold_energy": {CHANNEL: 6200.0, "threshold_2": 18600.5},
    }


def start(version: int, **changes: Any) -> Start:
    """A start message with everything."""
    table: Any = (
        np.array([[0.0, 1.0, 2.5, 4.0], [0.0, 1.25, 3.0, 5.5]], dtype=np.float32)
        if version == 1
        else np.array([0, 1, 70000], dtype=np.uint32)
    )
    values: dict[str, Any] = {
        "version": version,
        "series": 7,
        "unique_id": ULID if version == 2 else None,
        "detail": HeaderDetail.ALL,
        "config": config_v1() if version == 1 else config_v2(),
        "flatfield": {CHANNEL: np.linspace(0.5, 1.5, 6, dtype=np.float32).reshape(2, 3)},
        "pixel_mask": {CHANNEL: np.array([[0, 1, 2], [4, 8, 16]], dtype=np.uint32)},
        "countrate_table": table,
        "appendix": '{"sample": "é"}',
    }
    return Start(**(values | changes))


def image(version: int, *payloads: Payload, **changes: Any) -> Image:
    """An image message with the payloads given."""
    base = NS if version == 1 else QUARTZ
    values: dict[str, Any] = {
        "series": 7,
        "unique_id": ULID if version == 2 else None,
        "frame": 300,
        "payloads": payloads,
        "start_time": Rational(0, base),
        "stop_time": Rational(4_999_995, base),
        "real_time": Rational(4_999_000, base),
        "series_date": DATE if version == 2 else None,
    }
    return Image(**(values | changes))


def end(version: int) -> End:
    """An end message."""
    return End(series=7, unique_id=ULID if version == 2 else None)


def pixels() -> np.ndarray:
    """Six pixels that look alike from neither side."""
    return np.array([[0, 1, 258], [65535, 7, 40000]], dtype=np.uint16)


def encode(message: Message, version: int) -> list[bytes]:
    """The bytes of a message's parts."""
    encoder = stream.encoder(version)
    match message:
        case Start():
            parts = encoder.encode_start(message)
        case Image():
            parts = encoder.encode_image(message)
        case End():
            parts = encoder.encode_end(message)
    return [bytes(part) for part in parts]


def same(first: Any, second: Any) -> bool:
    """Whether two messages, or parts of them, say the same; bytes and views of them are equal."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    if is_dataclass(first) and type(first) is type(second):
        return all(same(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, bytes | memoryview):
        return bytes(first) == bytes(second)
    return first == second
