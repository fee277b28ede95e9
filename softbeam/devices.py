"""``softbeam devices``: a beamline file as a Python module of ophyd or ophyd-async devices.

The module needs the client library alone, nothing of ours, and its classes are the library's own. What is
added lets a point that a pause has interrupted be taken again without its rows being mistaken for those of
another. The same beamline file gives the same text, in the form that ``ruff format`` leaves as it is.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import Literal

from ioc import names
from layouts.beamline import Beamline
from softbeam import devices_ophyd, devices_ophyd_async

Flavour = Literal["ophyd", "ophyd-async"]
"""Whose devices."""

_WIDTH = 88
"""ruff's own line length: what it is in a directory without settings."""
_LIBRARIES = {"ophyd": devices_ophyd, "ophyd-async": devices_ophyd_async}


class NameClashError(ValueError):
    """Two devices would be the same object in Python."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the devices of a beamline are called in Python.

    Attributes:
        motors: By name in the beamline file.
        detectors: By name in the beamline file.
    """

    motors: dict[str, str]
    detectors: dict[str, str]


def python_names(beamline: Beamline) -> Names:
    """What each device is called: its name in small letters, with ``_`` behind it where that has a meaning.

    Raises:
        NameClashError: Two devices have one name but for capitals.
    """
    found = Names(
        {m.name: _identifier(m.name) for m in beamline.motors},
        {d.name: _identifier(d.name) for d in beamline.detectors},
    )
    every = [*found.motors.values(), *found.detectors.values()]
    for name in every:
        if every.count(name) > 1:
            raise NameClashError(
                f"beamline {beamline.name!r}: more than one device would be {name!r} in Python; "
                "give them names that differ by more than capitals"
            )
    return found


def module(beamline: Beamline, flavour: Flavour) -> str:
    """Text of the module.

    Raises:
        NameClashError: Two devices would be the same object in Python.
    """
    library, found = _LIBRARIES[flavour], python_names(beamline)
    motors = [
        _call(found.motors[m.name], library.MOTOR, names.motor(beamline.prefix, m.pv))
        for m in beamline.motors
    ]
    detectors = [
        _call(found.detectors[d.name], "Eiger", f"{beamline.prefix}{d.pv}:") for d in beamline.detectors
    ]
    return library.TEMPLATE.substitute(
        flavour=flavour,
        motors="\n".join(motors),
        detectors="\n".join(detectors),
        motor_list=_tuple("MOTORS", list(found.motors.values())),
        detector_list=_tuple("DETECTORS", list(found.detectors.values())),
        **_suffixes(beamline),
    )


def _suffixes(beamline: Beamline) -> dict[str, str]:
    """What stands behind a detector's device name, by what it belongs to."""
    ways = {"cam": names.cam, "hdf": names.hdf, "stats": names.stats, "image": names.image}
    return {what: way("", "", beamline.preset).removeprefix(":") for what, way in ways.items()}


def _identifier(name: str) -> str:
    small = name.lower()
    taken = keyword.iskeyword(small) or small in devices_ophyd.TAKEN | devices_ophyd_async.TAKEN
    return f"{small}_" if taken else small


def _call(name: str, cls: str, pv: str) -> str:
    """An assignment of a device, as ruff formats it."""
    line = f'{name} = {cls}("{pv}", name="{name}")'
    if len(line) <= _WIDTH:
        return line
    inner = f'    "{pv}", name="{name}"'
    if len(inner) > _WIDTH:
        inner = f'    "{pv}",\n    name="{name}",'
    return f"{name} = {cls}(\n{inner}\n)"


def _tuple(name: str, items: list[str]) -> str:
    """An assignment of a tuple, as ruff formats it."""
    line = f"{name} = ({', '.join(items)}{',' if len(items) < 2 else ''})" if items else f"{name} = ()"
    if len(line) <= _WIDTH:
        return line
    return f"{name} = (\n" + "".join(f"    {item},\n" for item in items) + ")"
