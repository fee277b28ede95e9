"""What the simulator tells an emitter, as JSON lines: a detector's actions, faults, and motions of motors.

Each line is one object whose ``cmd`` names its type. Both ends run the same release, on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

from layouts.stream.messages import Codec, GoniometerAxis, HeaderDetail
from sim.eiger import Action, Discard, Expose, SendEnd, SendStart, Truncate
from sim.eiger_config import EigerConfig, GateMode, RoiMode, TriggerMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """A motor's profile from now on, until the next one.

    Attributes:
        motor: Name in the beamline file.
        profile: As sim.profile writes it.
    """

    motor: str
    profile: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFaults:
    """Faults of the series that are armed from now on, in their own grammar."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """End in order."""


Command = Action | Motion | SetFaults | Exit

_TYPES: dict[str, type[Any]] = {
    "start": SendStart,
    "expose": Expose,
    "truncate": Truncate,
    "discard": Discard,
    "end": SendEnd,
    "motion": Motion,
    "faults": SetFaults,
    "exit": Exit,
}
_WORDS = {kind: word for word, kind in _TYPES.items()}
_FIXED = ("readout", "readout_time", "cutoff")
"""Config values that both ends take from the beamline file."""


def to_line(command: Command) -> bytes:
    """A command as one line."""
    values = asdict(command)
    if isinstance(command, SendStart):
        config = values["config"]
        for name in _FIXED:
            del config[name]
        config["goniometer"] = {name: list(axis) for name, axis in command.config.goniometer.items()}
    return orjson.dumps({"cmd": _WORDS[type(command)], **values}) + b"\n"


def from_line(line: bytes, base: EigerConfig) -> Command:
    """The command of one line.

    Args:
        line: As ``to_line`` made it.
        base: Gives the values that both ends take from the beamline file.

    Raises:
        ValueError: Not a command.
    """
    values: dict[str, Any] = orjson.loads(line)
    kind = _TYPES.get(str(values.pop("cmd", "")))
    if kind is None or values.keys() != {f.name for f in fields(kind)}:
        raise ValueError(f"not a command of this release: {line[:200]!r}; start both ends from one checkout")
    if kind is SendStart:
        values["config"] = _config(values["config"], base)
    command: Command = kind(**values)
    return command


def _config(values: dict[str, Any], base: EigerConfig) -> EigerConfig:
    values["trigger_mode"] = TriggerMode(values["trigger_mode"])
    values["extg_mode"] = GateMode(values["extg_mode"])
    values["roi_mode"] = RoiMode(values["roi_mode"])
    values["compression"] = Codec(values["compression"])
    values["header_detail"] = HeaderDetail(values["header_detail"])
    values["goniometer"] = {name: GoniometerAxis(*axis) for name, axis in values["goniometer"].items()}
    return EigerConfig(readout=base.readout, readout_time=base.readout_time, cutoff=base.cutoff, **values)
