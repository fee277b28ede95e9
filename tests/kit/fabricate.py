"""Raw and meta files and the Acquisition that goes with them, made from arrays without any process.

>>> acquisition = acquire(tmp_path, beamline, [shot("EIG1", frames, omega=(0.0, 0.1))])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, Detector
from layouts.capture import (
    Acquisition,
    AxisPositions,
    DetectorCapture,
    Origin,
    Outcome,
    RawFile,
    SeriesRecord,
)
from layouts.geometry import wavelength
from layouts.nexus.frames import masked
from layouts.raw.mapping import Mapping as RawMapping
from layouts.raw.names import DATA, Column, Meta, Stripe, meta_file, raw_file
from layouts.stream.messages import SeriesParameters

STARTED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FRAME_TIME = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What one detector is to have given.

    Attributes:
        detector: Name in the beamline file.
        frames: (rows, slow, fast); what stands in missing rows is not stored.
        positions: By motor: one number, an array of one value a row, (start, increment) of a scan, or the
            whole thing.
        missing: Rows without a frame.
        rows_per_file: Rows of each raw file but the last; 0 puts all in one.
        workers: How many took turns.
        block: Places of one turn.
        series: Rows of each series; one series of all rows unless given.
        mask: Dectris bits; the model's gaps unless given.
        parameters: What differs from the usual.
    """

    detector: str
    frames: NDArray[Any]
    positions: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    rows_per_file: int = 0
    workers: int = 1
    block: int = 1
    series: tuple[int, ...] = ()
    mask: NDArray[np.uint32] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


def shot(detector: str, frames: NDArray[Any], *, missing: Iterable[int] = (), **more: Any) -> Shot:
    """A shot; keywords that are no field of it are positions of motors."""
    names = {"rows_per_file", "workers", "block", "series", "mask", "parameters"}
    own = {k: v for k, v in more.items() if k in names}
    positions = {k: v for k, v in more.items() if k not in names}
    return Shot(detector=detector, frames=frames, missing=tuple(missing), positions=positions, **own)


def counts(rows: int, shape: tuple[int, int], dtype: str = "uint16", seed: int = 1) -> NDArray[Any]:
    """Frames that differ from each other and cost little: one pattern, the row number in one pixel."""
    pattern = np.random.default_rng(seed).poisson(2.0, shape).astype(dtype)
    frames = np.repeat(pattern[None], rows, axis=0)
    frames[:, 3, 5] = (np.arange(rows) + 1) % 200
    return frames


def gap_mask(detector: Detector) -> NDArray[np.uint32]:
    """Mask of the gaps between a model's modules."""
    spec = detector.spec
    mask = np.zeros(spec.shape, dtype=np.uint32)
    for along, axis in ((spec.height, 0), (spec.width, 1)):
        module, gap = (spec.module[1], spec.gap[1]) if axis == 0 else (spec.module[0], spec.gap[0])
        rows = np.flatnonzero(np.arange(along) % (module + gap) >= module)
        mask[(rows, slice(None)) if axis == 0 else (slice(None), rows)] = 1
    return mask


def acquire(
    directory: Path, beamline: Beamline, shots: list[Shot], name: str = "run", **changes: Any
) -> Acquisition:
    """Write the files of an acquisition and describe it.

    Args:
        directory: Where the files go; exists.
        beamline: Description of motors and detectors.
        shots: The main detector's first.
        name: Stem of all names.
        changes: Fields of the Acquisition that differ from the usual.
    """
    captures = tuple(_capture(directory, beamline, s, name) for s in shots)
    seconds = timedelta(seconds=FRAME_TIME * max(c.rows for c in captures))
    whole = all(not c.missing for c in captures)
    usual = Acquisition(
        beamline=beamline,
        directory=directory,
        name=name,
        detectors=captures,
        started=STARTED,
        ended=STARTED + seconds,
        estimated_end=STARTED + seconds,
        outcome=Outcome.COMPLETE if whole else Outcome.INCOMPLETE,
        reason="" if whole else f"{sum(len(c.missing) for c in captures)} frames did not come",
    )
    return replace(usual, **changes)


def _capture(directory: Path, beamline: Beamline, shot: Shot, name: str) -> DetectorCapture:
    detector = beamline.detector(shot.detector)
    rows, *shape = shot.frames.shape
    stem = f"{name}_{detector.name}"
    mapping = RawMapping(rows_per_file=shot.rows_per_file, workers=shot.workers, block=shot.block)
    raw: list[RawFile] = []
    for worker in range(mapping.workers):
        begin = 0
        for file, size in enumerate(mapping.files(worker, rows)):
            path = directory / raw_file(stem, mapping.number(worker, file))
            places = [mapping.at(worker, begin + row) for row in range(size)]
            gaps = {row for row, place in enumerate(places) if place in shot.missing}
            write_raw(path, shot.frames[places], gaps, numbers=(places[0] + 1, places[-1] + 1))
            if mapping.workers > 1:
                _say_stripe(path, mapping, worker)
            raw.append(RawFile(path=path, rows=size, worker=worker))
            begin += size
    lengths = shot.series or (rows,)
    starts = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    series = tuple(
        SeriesRecord(
            series=i + 1,
            row=starts[i],
            rows=n,
            stored=n - sum(starts[i] <= m < starts[i] + n for m in shot.missing),
            outcome=Outcome.COMPLETE,
        )
        for i, n in enumerate(lengths)
    )
    meta = directory / meta_file(stem)
    write_meta(meta, rows, shot.missing, series)
    mask = (
        shot.mask
        if shot.mask is not None
        else gap_mask(detector)
        if shape == [*detector.spec.shape]
        else None
    )
    return DetectorCapture(
        detector=detector.name,
        raw_files=tuple(raw),
        mapping=mapping,
        meta_file=meta,
        rows=rows,
        missing=tuple(sorted(shot.missing)),
        dtype=shot.frames.dtype.name,
        shape=(shape[0], shape[1]),
        series=series,
        parameters=_parameters(beamline, detector, shot, len(lengths)),
        pixel_mask=mask if mask is not None else np.zeros(shape, dtype=np.uint32),
        has_attributes=True,
        positions=_positions(beamline, shot, rows),
        started=STARTED,
    )


def write_raw(
    path: Path,
    frames: NDArray[Any],
    missing: Iterable[int] = (),
    numbers: tuple[int, int] | None = None,
) -> None:
    """A raw file: one chunk a frame, bslz4; missing rows have no chunk.

    Args:
        path: Must not exist.
        frames: (rows, slow, fast).
        missing: Rows left out.
        numbers: Of the first and the last frame, from 1; all of them in order unless given.
    """
    gaps = set(missing)
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        data = file.create_dataset(
            DATA,
            shape=frames.shape,
            maxshape=(None, *frames.shape[1:]),
            dtype=frames.dtype,
            chunks=(1, *frames.shape[1:]),
            fillvalue=masked(frames.dtype.name),
            **hdf5plugin.Bitshuffle(),
        )
        for row, frame in enumerate(frames):
            if row not in gaps:
                data[row] = frame
        low, high = numbers or (1, len(frames))
        data.attrs["image_nr_low"] = np.int32(low)
        data.attrs["image_nr_high"] = np.int32(high)


def _say_stripe(path: Path, mapping: RawMapping, worker: int) -> None:
    said = {
        Stripe.RANK: worker,
        Stripe.WORKERS: mapping.workers,
        Stripe.FRAMES_PER_BLOCK: mapping.block,
        Stripe.IMAGES_PER_FILE: mapping.rows_per_file,
    }
    with h5py.File(path, "r+") as file:
        for name, value in said.items():
            file[DATA].attrs[name.value] = np.int64(value)


def write_meta(path: Path, rows: int, missing: Iterable[int], series: tuple[SeriesRecord, ...]) -> None:
    """A meta file with its columns, and the attributes that every capture has."""
    stored = np.ones(rows, dtype=np.uint8)
    stored[list(missing)] = 0
    number, frame = np.full((2, rows), -1, dtype=np.int64)
    for s in series:
        number[s.row : s.row + s.rows] = s.series
        frame[s.row : s.row + s.rows] = s.first + np.arange(s.rows)
    start = np.arange(rows) * int(FRAME_TIME * 1e9)
    columns = {
        Column.STORED: stored,
        Column.SERIES: np.where(stored, number, -1),
        Column.FRAME: np.where(stored, frame, -1),
        Column.START_TIME: np.where(stored, 1 + start, 0),
        Column.STOP_TIME: np.where(stored, 9_990_000 + start, 0),
        Column.REAL_TIME: np.where(stored, 9_990_000, 0),
        Column.SIZE: np.where(stored, 1000, 0),
        Column.ARRIVAL: np.where(stored, int(STARTED.timestamp() * 1e9) + start, 0),
    }
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        group = file.create_group(Meta.COLUMNS)
        for column, values in columns.items():
            group.create_dataset(column.value, data=values, chunks=(max(1, rows),), maxshape=(None,))
        for place, values in (
            (f"{Meta.ATTRIBUTES}/NDArrayUniqueId", np.arange(rows, dtype=np.int32)),
            (f"{Meta.DETECTOR_ATTRIBUTES}/ColorMode", np.zeros(rows, dtype=np.int32)),
        ):
            file.create_dataset(place, data=values, chunks=(max(1, rows),), maxshape=(None,))
            file[place].parent.attrs["NX_class"] = np.bytes_("NXcollection")


def _parameters(beamline: Beamline, detector: Detector, shot: Shot, triggers: int) -> SeriesParameters:
    energy = beamline.motor(beamline.beam.energy).initial
    depth = 8 * shot.frames.dtype.itemsize
    usual = SeriesParameters(
        images=len(shot.frames),
        images_per_trigger=len(shot.frames) // triggers,
        triggers=triggers,
        trigger_mode="ints",
        count_time=FRAME_TIME - 1e-7,
        frame_time=FRAME_TIME,
        readout_time=1e-7,
        energy=energy,
        wavelength=wavelength(energy),
        threshold_energy={"threshold_1": energy / 2},
        dtype=shot.frames.dtype.name,
        bit_depth_image=depth,
        bit_depth_readout=detector.spec.readout_depth,
        description=detector.spec.description,
        serial_number=detector.serial_number,
        pixel_size=(detector.spec.pixel_size, detector.spec.pixel_size),
        sensor_material=detector.sensor_material,
        sensor_thickness=detector.sensor_thickness,
        countrate_cutoff=int(detector.count_rate_cutoff * FRAME_TIME),
        countrate_correction_applied=True,
        flatfield_applied=True,
        pixel_mask_applied=True,
        virtual_pixel_correction_applied=True,
        software_version="1.8.0",
    )
    return replace(usual, **shot.parameters)


def _positions(beamline: Beamline, shot: Shot, rows: int) -> dict[str, AxisPositions]:
    made: dict[str, AxisPositions] = {}
    for motor in beamline.motors:
        given = shot.positions.get(motor.name, motor.initial)
        if isinstance(given, AxisPositions):
            made[motor.name] = given
        elif isinstance(given, tuple):
            start, step = given
            made[motor.name] = AxisPositions(
                values=start + step * np.arange(rows),
                increment=step,
                origin=Origin.PLAN,
                readback=np.array([start + 1e-4]),
            )
        else:
            values = np.atleast_1d(np.asarray(given, dtype=np.float64))
            made[motor.name] = AxisPositions(values=values, readback=values[:1] + 1e-4)
    return made
