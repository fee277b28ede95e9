"""Can a storage take a detector, and for how long? The arithmetic, apart from any measurement.

Sizes are bytes of packed frames; rates are frames a second. A yes needs a fifth in hand: disks have bad
minutes, and other programs too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from layouts.detector_models import MODELS, DetectorModel

MARGIN: Final = 0.2
"""What must be left over of a resource for a yes."""
SHARE: Final = 0.7
"""Of one processor that a worker may be planned to need."""
RATIOS: Final = {"dense": 4.8, "typical": 9.0, "sparse": 18.6}
"""Unpacked to packed bytes of bslz4: at two counts a pixel, between, and on an almost empty detector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a detector sends.

    Attributes:
        frame_bytes: Packed.
        rate: Frames a second.
        seconds: How long.
    """

    frame_bytes: int
    rate: float
    seconds: float

    @property
    def bytes_per_second(self) -> float:
        """Of packed frames."""
        return self.frame_bytes * self.rate

    @property
    def bytes(self) -> float:
        """Of the whole run."""
        return self.bytes_per_second * self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """What was measured of a machine and its storage.

    Attributes:
        disk: Bytes a second that reach the storage, as long as it takes; fsync included.
        cache: Bytes that the page cache takes beyond that before a writer has to wait.
        free: Bytes.
        write_us: Processor time of the worker for a frame of this size, without a socket.
        receive_us: Processor time of receiving it.
        processors: Of this machine.
        volatile: Whether the file system is memory.
    """

    disk: float
    cache: float
    free: float
    write_us: float
    receive_us: float
    processors: int
    volatile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One resource's part of the answer; margin is what is left of it, negative if it does not do."""

    what: str
    needed: str
    there: str
    margin: float
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether enough is in hand."""
        return self.margin >= MARGIN


def frame_bytes(model: DetectorModel, bits: int, ratio: float) -> int:
    """Packed bytes of a frame."""
    slow, fast = model.shape
    return max(1, round(slow * fast * bits / 8 / ratio))


def model(name: str) -> DetectorModel:
    """A detector model by name.

    Raises:
        ValueError: There is none; says which there are.
    """
    if name not in MODELS:
        raise ValueError(f"no model {name!r}; right is one of {', '.join(MODELS)}")
    return MODELS[name]


def workers(need: Need, ability: Ability) -> int:
    """How many must share the detector so that each has time in hand."""
    busy = need.rate * (ability.write_us + ability.receive_us) * 1e-6
    return max(1, math.ceil(busy / SHARE - 1e-9))


def answers(need: Need, ability: Ability) -> list[Answer]:
    """Whether it can be done, by resource: storage, processors, space."""
    wanted = need.bytes_per_second
    many = workers(need, ability)
    busy = need.rate * (ability.write_us + ability.receive_us) * 1e-6
    found = [
        Answer(
            what="storage",
            needed=f"{_size(wanted)}/s",
            there=f"{_size(ability.disk)}/s",
            margin=_margin(wanted, ability.disk),
            advice=_burst(wanted, ability),
        ),
        Answer(
            what="processors",
            needed=f"{busy:.2f} in {many} worker{'s' if many > 1 else ''}",
            there=f"{ability.processors}",
            margin=_margin(busy, ability.processors),
            advice="" if many == 1 else f"workers = {many} in the beamline file",
        ),
        Answer(
            what="space",
            needed=_size(need.bytes),
            there=_size(ability.free),
            margin=_margin(need.bytes, ability.free),
            advice=f"full after {_time(ability.free / wanted)}" if need.bytes > ability.free else "",
        ),
    ]
    if ability.volatile:
        found[0] = Answer(
            what="memory",
            needed=found[0].needed,
            there=found[0].there,
            margin=found[0].margin,
            advice="this file system is memory: nothing on it outlives a power cut",
        )
    return found


def _burst(wanted: float, ability: Ability) -> str:
    if wanted <= ability.disk:
        return ""
    seconds = ability.cache / (wanted - ability.disk)
    return f"the page cache takes the first {_time(seconds)}, then frames wait in the detector and are lost"


def _margin(needed: float, there: float) -> float:
    return 1.0 - needed / there if there > 0 else -math.inf


def _size(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def _time(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 120 else f"{seconds:.1f} s"
