"""A detector's socket without a detector: sends the messages it is told to."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import zmq

from layouts.stream.codecs import pack
from layouts.stream.messages import (
    Codec,
    End,
    HeaderDetail,
    Image,
    Rational,
    SeriesParameters,
    Start,
)
from layouts.stream.parameters import config_v1, config_v2
from layouts.stream.stream import encoder

SHAPE = (24, 36)
BASE = 50_000_000


def pixels(series: int, frame: int, dtype: str = "uint16", shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A frame that says which it is."""
    array = np.zeros(shape, dtype)
    array[0, 0], array[0, 1], array[-1, -1] = series % 256, frame % 251, 7
    return array


def unique(series: int) -> str:
    return f"{series:026d}"


class Push:
    """A PUSH socket with the messages of one stream version."""

    def __init__(
        self,
        version: int = 2,
        *,
        dtype: str = "uint16",
        codec: Codec = Codec.BSLZ4,
        shape: tuple[int, int] = SHAPE,
        queue: int = 1000,
    ) -> None:
        self.version, self.dtype, self.codec, self.shape = version, dtype, codec, shape
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUSH)
        self.socket.set(zmq.LINGER, 2000)
        self.socket.set(zmq.SNDTIMEO, 20_000)
        self.socket.set(zmq.SNDHWM, queue)
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self.encoder = encoder(version)

    def close(self) -> None:
        self.socket.close()
        self.context.term()

    def parameters(self, images: int, **changes) -> SeriesParameters:
        slow, fast = self.shape
        return replace(
            SeriesParameters(
                arm_date="2026-03-01T12:00:00.000+00:00",
                images=images,
                images_per_trigger=images,
                triggers=1,
                trigger_mode="ints",
                count_time=0.009,
                frame_time=0.01,
                readout_time=1e-7,
                energy=12700.0,
                wavelength=0.97625,
                threshold_energy={"threshold_1": 6350.0},
                image_size=(fast, slow),
                dtype=self.dtype,
                bit_depth_image=int(self.dtype.removeprefix("uint")),
                bit_depth_readout=16,
                beam_center=(10.0, 12.0),
                detector_translation=(0.0, 0.0, -0.12),
                description="Dectris test",
                serial_number="E-00",
                pixel_size=(75e-6, 75e-6),
                sensor_material="Si",
                sensor_thickness=450e-6,
                saturation_value=60000,
                countrate_cutoff=60000,
            ),
            **changes,
        )

    def start(
        self,
        series: int,
        images: int,
        detail: HeaderDetail = HeaderDetail.ALL,
        mask: np.ndarray | None = None,
        **changes,
    ) -> None:
        said = self.parameters(images, **changes)
        config = config_v1(said) if self.version == 1 else config_v2(said)
        arrays = {}
        if detail is HeaderDetail.ALL:
            arrays = {
                "pixel_mask": {"threshold_1": np.zeros(self.shape, np.uint32) if mask is None else mask},
                "flatfield": {"threshold_1": np.ones(self.shape, np.float32)},
                "countrate_table": np.zeros((2, 16), np.float32)
                if self.version == 1
                else np.zeros(16, np.uint32),
            }
        start = Start(
            version=self.version,
            series=series,
            unique_id=unique(series) if self.version == 2 else None,
            detail=detail,
            config={} if self.version == 1 and detail is HeaderDetail.NONE else config,
            **arrays,
        )
        self.send(self.encoder.encode_start(start))

    def image(self, series: int, frame: int, **changes) -> None:
        self.send(self.image_parts(series, frame, **changes))

    def image_parts(
        self, series: int, frame: int, dtype: str = "", codec: Codec | None = None, shape=None, array=None
    ):
        if array is None:
            array = pixels(series, frame, dtype or self.dtype, shape or self.shape)
        begin = 1_000_000 * frame
        base = 1_000_000_000 if self.version == 1 else BASE
        image = Image(
            series=series,
            unique_id=unique(series) if self.version == 2 else None,
            frame=frame,
            payloads=(pack(array, codec or self.codec, version=self.version),),
            start_time=Rational(begin, base),
            stop_time=Rational(begin + 900_000, base),
            real_time=Rational(900_000, base),
            series_date="2026-03-01T12:00:01.000+00:00" if self.version == 2 else None,
        )
        return self.encoder.encode_image(image)

    def images(self, series: int, frames, **changes) -> None:
        for frame in frames:
            self.image(series, frame, **changes)

    def end(self, series: int) -> None:
        self.send(
            self.encoder.encode_end(
                End(series=series, unique_id=unique(series) if self.version == 2 else None)
            )
        )

    def series(self, series: int, images: int) -> None:
        self.start(series, images)
        self.images(series, range(images))
        self.end(series)

    def send(self, parts) -> None:
        self.socket.send_multipart([bytes(part) for part in parts])


def settle(condition, timeout: float = 10.0) -> bool:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False
