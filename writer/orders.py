"""What a client asks for, checked and turned into one capture for each detector. Pure: the disk is handed in.

Two ways in: an acquisition by name (``ACQ:``), whose raw files are ``NAME_DETECTOR_000001.h5``, and one
detector's capture (``HDF1:``) by the file name that its template makes. A refusal says what is wrong and what
would be right; nothing that exists is ever written over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from layouts.beamline import Beamline, Detector, Storage
from layouts.raw import names
from layouts.raw.grid import Grid
from layouts.raw.mapping import Mapping as Places
from layouts.stream.messages import Codec
from writer import control
from writer.keeping import keeping
from writer.share import Share

_PACKED = 3.0
"""How many times smaller than in memory compressed frames are held for, until one has been seen."""
_BYTES = {"uint8": 1, "uint16": 2, "uint32": 4}


class RefusedError(Exception):
    """A request that cannot be done; the message is for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is known of the frames to come.

    Attributes:
        shape: Pixels, (slow, fast).
        dtype: "uint8", "uint16" or "uint32".
        codec: How they will be packed.
        frame_bytes: Mean size of a packed frame, where some have been seen.
        images: Frames of one arm; None where it has no end or nobody knows.
        per_trigger: Frames of one trigger.
        may_pause: Whether a pause of any length is in order.
    """

    shape: tuple[int, int]
    dtype: Literal["uint8", "uint16", "uint32"]
    codec: Codec = Codec.BSLZ4
    frame_bytes: float | None = None
    images: int | None = None
    per_trigger: int | None = None
    may_pause: bool = False

    @property
    def bytes_per_frame(self) -> float:
        """Bytes that one frame takes on disk, or may take."""
        whole = self.shape[0] * self.shape[1] * _BYTES.get(self.dtype, 4)
        if self.frame_bytes is not None:
            return self.frame_bytes
        return whole if self.codec is Codec.NONE else whole / _PACKED


class Holder(Protocol):
    """Who knows what is to become of the frames that Capture mode holds."""

    async def held_name(self) -> Path | None:
        """The name under which they are to be written now; nothing if they are to be held.

        Raises:
            RefusedError: There can be no such file.
        """
        ...

    async def held_written(self) -> None:
        """They are in the file of that name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One detector's capture as a client's records ask for it.

    Attributes:
        full_name: What FullFileName_RBV will say.
        num_capture: Frames; 0 is no limit.
        lazy: Whether the file may wait for the first frame.
        stem: What the names of its other files begin with; the full name's own stem unless given.
        images_per_file: Frames of one raw file, 0 for all in one; the detector's own unless given.
        grid: Extra dimensions, if the file of that name is to have them.
        flush_frames: Frames after which to flush before the time; 0 is by time alone.
        temp_suffix: Behind the names of files until the capture has ended.
        holder: Says at the end of Capture mode's capture what becomes of its frames, which are in a hidden
            file until then.
    """

    full_name: Path
    num_capture: int
    lazy: bool = True
    flush_frames: int = 0
    temp_suffix: str = ""
    holder: Holder | None = None
    stem: str | None = None
    images_per_file: int | None = None
    grid: Grid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An acquisition that may begin.

    Attributes:
        name: Stem of the masters.
        directory: Where all files go.
        captures: What each worker is told, the main detector's first.
        full_names: What FullFileName_RBV says, by detector.
        acquire: Whether cameras are started with it.
        planned: Frames of each detector; 0 where nobody knows.
        grids: Extra dimensions of the files of the full names, by detector.
        workers: How many share the frames, for detectors with several.
    """

    name: str
    directory: Path
    captures: dict[str, control.Capture]
    full_names: dict[str, Path]
    acquire: bool
    planned: dict[str, int]
    grids: dict[str, Grid] = field(default_factory=dict[str, Grid])
    workers: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def detectors(self) -> tuple[str, ...]:
        """Names, the main one first."""
        return tuple(self.captures)

    def is_single(self, detector: str) -> bool:
        """Whether the file of that full name is the one raw file, and not a map of several."""
        return self.captures[detector].single_file_name is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that it will make, as far as that is known before."""
        found = [self.directory / names.master_file(self.name)]
        for detector, capture in self.captures.items():
            found.append(self.directory / names.dectris_master_file(self.name, detector))
            found.append(self.directory / names.meta_file(capture.stem))
            found.append(self.full_names[detector])
            if capture.temp_suffix:
                found.append(suffixed(self.full_names[detector], capture.temp_suffix))
            if not self.is_single(detector):
                found += [self.directory / name for name in self._raw_files(detector)]
        return tuple(dict.fromkeys(found))

    def _raw_files(self, detector: str) -> list[str]:
        """Names of the raw files, as far as they are known before."""
        capture, workers = self.captures[detector], self.workers.get(detector, 1)
        places = Places(
            rows_per_file=capture.images_per_file, workers=workers, block=capture.frames_per_block
        )
        return [
            Share(mapping=places, rank=rank).name(capture.stem, file)
            for rank in range(workers)
            for file in range(len(places.files(rank, max(1, capture.num_capture))))
        ]


class Disk(Protocol):
    """What is asked of the file system."""

    def is_directory(self, path: Path) -> bool:
        """Whether there is a directory of that name."""
        ...

    def is_writable(self, path: Path) -> bool:
        """Whether files can be made in it."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is anything of that name."""
        ...

    def free(self, path: Path) -> int:
        """Free bytes of its file system."""
        ...


def parse_detectors(text: str, beamline: Beamline) -> tuple[str, ...]:
    """The detectors that a comma-separated list names; all if it is empty.

    Raises:
        RefusedError: One is not there, or named twice.
    """
    known = [d.name for d in beamline.detectors]
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    for name in wanted:
        if name not in known:
            raise RefusedError(
                f"no detector {name!r} at {beamline.name}; right are {', '.join(known)}, separated by commas"
            )
    if len(set(wanted)) < len(wanted):
        raise RefusedError(f"Detectors {text!r} names one twice; once is right")
    return tuple(wanted or known)


def of_acquisition(
    beamline: Beamline,
    directory: Path,
    name: str,
    detectors: Sequence[str],
    expected: Mapping[str, Expectation],
) -> Order:
    """What ``ACQ:Start`` asks for.

    Raises:
        RefusedError: The name cannot be one.
    """
    if not name or name != Path(name).name or name in (".", "..") or any(ord(c) < 32 for c in name):
        raise RefusedError(
            f"Name {name!r} cannot begin the names of files; right is a word such as run_001, without slashes"
        )
    captures: dict[str, control.Capture] = {}
    full_names: dict[str, Path] = {}
    for detector in detectors:
        stem = f"{name}_{detector}"
        planned = expected[detector].images or 0
        known = beamline.detector(detector)
        capture = _capture(beamline.storage, known, directory / stem, planned, expected[detector])
        per_file = known.images_per_file
        single = known.workers == 1 and (per_file == 0 or 0 < planned <= per_file)
        full_names[detector] = directory / (names.raw_file(stem, 1) if single else f"{stem}.h5")
        captures[detector] = _filed(capture, full_names[detector], per_file, single=single)
    return Order(
        name=name,
        directory=directory,
        captures=captures,
        full_names=full_names,
        acquire=True,
        planned={d: expected[d].images or 0 for d in detectors},
        workers={d: beamline.detector(d).workers for d in detectors},
    )


def of_detector(beamline: Beamline, detector: str, wish: Wish, expected: Expectation) -> Order:
    """What a detector's own records ask for: ``HDF1:Capture`` or ``OD:Capture``.

    A capture without a limit goes into one file of each worker, which can grow; a limited one is cut into
    files of the detector's ``images_per_file``. Over several files there is a map of the full name.

    Raises:
        RefusedError: The full name is the name of another file of the capture, or several workers are to
            hold frames back.
    """
    known = beamline.detector(detector)
    if wish.holder is not None and known.workers > 1:
        raise RefusedError(
            f"FileWriteMode Capture holds frames in one file, but {detector} has {known.workers} workers; "
            "use Stream, or let it have one worker in the beamline file"
        )
    full_name, num_capture = wish.full_name, wish.num_capture
    stem = wish.stem or full_name.stem
    capture = _capture(beamline.storage, known, full_name.parent / stem, num_capture, expected)
    capture = replace(capture, flush_frames=wish.flush_frames, temp_suffix=wish.temp_suffix)
    if wish.lazy:
        capture = replace(capture, shape=None, dtype=None)
    per_file = 0 if wish.holder is not None else wish.images_per_file
    if per_file is None:
        per_file = known.images_per_file
    if wish.grid is None:
        per_file = per_file if num_capture > per_file else 0
        capture = _filed(capture, full_name, per_file, single=known.workers == 1 and not per_file)
    else:
        capture = replace(capture, images_per_file=per_file)
    order = Order(
        name=stem,
        directory=full_name.parent,
        captures={detector: capture},
        full_names={detector: full_name},
        acquire=False,
        planned={detector: num_capture},
        grids={} if wish.grid is None else {detector: wish.grid},
        workers={detector: known.workers},
    )
    others = [names.master_file(stem), names.dectris_master_file(stem, detector), names.meta_file(stem)]
    if full_name.name in others:
        raise RefusedError(
            f"{full_name.name} is the name of another file of this capture; let FileTemplate end in .h5"
        )
    return order


def _capture(
    storage: Storage, detector: Detector, stem: Path, num_capture: int, expected: Expectation
) -> control.Capture:
    return control.Capture(
        capture="",
        directory=str(stem.parent),
        stem=stem.name,
        detector=detector.name,
        frames_per_block=detector.frames_per_block,
        num_capture=num_capture,
        shape=expected.shape,
        dtype=expected.dtype,
        codec=expected.codec,
        stall_timeout=storage.stall_timeout,
        grace=storage.grace,
        flush_interval=storage.flush_interval,
        images=expected.images,
        images_per_trigger=expected.per_trigger,
        stall=not expected.may_pause,
        keeping=keeping(storage, detector),
    )


def _filed(
    capture: control.Capture, full_name: Path, images_per_file: int, *, single: bool
) -> control.Capture:
    if single:
        return replace(capture, single_file_name=str(full_name))
    return replace(capture, images_per_file=images_per_file)


def suffixed(path: Path, suffix: str) -> Path:
    """The name of a file that is still being written."""
    return path.with_name(path.name + suffix)


def named(capture: control.Capture, name: str) -> control.Capture:
    """The same capture with the name that all messages about it will have."""
    return replace(capture, capture=name)


def check(order: Order, expected: Mapping[str, Expectation], disk: Disk, reserve: int) -> None:
    """Refuse what the disk cannot take.

    Args:
        order: What is asked for.
        expected: Of each detector.
        disk: The file system.
        reserve: Bytes that must stay free.

    Raises:
        RefusedError: The directory is not there or not writable, a file exists already, or there is no space.
    """
    directory = order.directory
    if not disk.is_directory(directory):
        raise RefusedError(
            f"{directory} is not there, or is no directory; make it, or let CreateDirectory make it"
        )
    if not disk.is_writable(directory):
        raise RefusedError(f"{directory} is not writable for the writer; change its rights, or take another")
    for path in order.files:
        if disk.exists(path):
            raise RefusedError(f"{path} exists, and is not written over; take another name or number")
    needed = sum(order.planned[d] * expected[d].bytes_per_frame for d in order.detectors)
    free = disk.free(directory)
    if free - needed < reserve:
        raise RefusedError(
            f"no space: {directory} has {_size(free)} free, the frames need about {_size(needed)}, "
            f"and {_size(reserve)} must stay free; delete something, or take another directory"
        )


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def expectation(
    detector: Detector,
    *,
    shape: tuple[int, int] | None = None,
    dtype: Literal["uint8", "uint16", "uint32"] | None = None,
    frame_bytes: float | None = None,
    images: int | None = None,
    per_trigger: int | None = None,
    may_pause: bool = False,
) -> Expectation:
    """What to expect of a detector: what was last known of it, else what its model and stream have."""
    return Expectation(
        shape=shape or detector.spec.shape,
        dtype=dtype or "uint16",
        codec=Codec(detector.stream.compression),
        frame_bytes=frame_bytes,
        images=images,
        per_trigger=per_trigger,
        may_pause=may_pause,
    )
