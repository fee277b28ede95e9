"""Names of the PVs: prefix, device and record put together, for ADCore's and for Diamond's suffixes.

Plain strings in and out, so that the beamline file, the servers and the clients agree on one spelling.
"""

from __future__ import annotations

_CAM = {"adcore": "cam1:", "dls": "CAM:"}
_HDF = {"adcore": "HDF1:", "dls": "HDF5:"}
_STATS = {"adcore": "Stats1:", "dls": "STAT:"}
_IMAGE = {"adcore": "image1:", "dls": "ARR:"}
_ROI = {"adcore": "ROI1:", "dls": "ROI:"}


def motor(prefix: str, pv: str) -> str:
    """Record name of a motor, to which ``.FIELD`` is added."""
    return f"{prefix}{pv}"


def cam(prefix: str, pv: str, preset: str = "adcore") -> str:
    """Prefix of a detector's camera records.

    Raises:
        ValueError: No such suffix preset.
    """
    return f"{prefix}{pv}:{_suffix(_CAM, preset)}"


def hdf(prefix: str, pv: str, preset: str = "adcore") -> str:
    """Prefix of a detector's file-writer records.

    Raises:
        ValueError: No such suffix preset.
    """
    return f"{prefix}{pv}:{_suffix(_HDF, preset)}"


def stats(prefix: str, pv: str, preset: str = "adcore") -> str:
    """Prefix of a detector's statistics records.

    Raises:
        ValueError: No such suffix preset.
    """
    return f"{prefix}{pv}:{_suffix(_STATS, preset)}"


def image(prefix: str, pv: str, preset: str = "adcore") -> str:
    """Prefix of a detector's image records.

    Raises:
        ValueError: No such suffix preset.
    """
    return f"{prefix}{pv}:{_suffix(_IMAGE, preset)}"


def roi(prefix: str, pv: str, preset: str = "adcore") -> str:
    """Prefix of a detector's region-of-interest records.

    Raises:
        ValueError: No such suffix preset.
    """
    return f"{prefix}{pv}:{_suffix(_ROI, preset)}"


def odin(prefix: str, pv: str) -> str:
    """Prefix of Odin's records as Diamond serves them; ``FAN:`` and ``META:`` stand behind it."""
    return f"{prefix}{pv}:OD:"


def odin_node(prefix: str, pv: str, number: int) -> str:
    """Prefix of the records of one of Odin's nodes, counted from 1."""
    return f"{prefix}{pv}:OD{number}:"


def port(detector: str, plugin: str = "") -> str:
    """The asyn port of a detector's camera, or of one of its plugins."""
    return f"{detector}.{plugin.upper()}" if plugin else detector


def acq(prefix: str) -> str:
    """Prefix of the records of an acquisition over all detectors."""
    return f"{prefix}ACQ:"


def trigger(prefix: str, pv: str = "TRIG:") -> str:
    """Prefix of the trigger device's records."""
    return f"{prefix}{pv}"


def sim(prefix: str, pv: str) -> str:
    """Prefix of what only a simulated detector has; its truth is behind ``Truth_RBV``."""
    return f"{prefix}{pv}:SIM:"


def truth(prefix: str, pv: str) -> str:
    """Full name of the PV that says what was simulated in the latest series."""
    return f"{sim(prefix, pv)}Truth_RBV"


def health(prefix: str, program: str) -> str:
    """Prefix of the records of a program's health.

    Args:
        prefix: Of all PVs.
        program: ``sim`` or ``writer``.
    """
    return f"{prefix}IOC:{program.upper()}:"


def _suffix(suffixes: dict[str, str], preset: str) -> str:
    if preset not in suffixes:
        raise ValueError(f"no suffix preset {preset!r}; right is one of {', '.join(suffixes)}")
    return suffixes[preset]
