"""NXsample: what is mounted, on which axes, and where they stood."""

from __future__ import annotations

from layouts.beamline import Beamline
from layouts.capture import DetectorCapture
from layouts.nexus.chain import positioner, transformations
from layouts.nexus.detector import pv
from layouts.nexus.positions import Axis, axes
from layouts.nexus.tree import Group, Node, SoftLink, data, group


def sample_axes(beamline: Beamline, capture: DetectorCapture) -> list[Axis]:
    """The axes the sample stands on, from the laboratory outwards."""
    return axes(beamline, capture, beamline.sample.depends_on)


def sample_group(beamline: Beamline, capture: DetectorCapture, entry: str) -> Group:
    """NXsample for one detector's frames.

    Args:
        beamline: Description of the beamline.
        capture: What the detector gave.
        entry: Path of the NXentry it will stand in.
    """
    place = f"{entry}/sample"
    chain = sample_axes(beamline, capture)
    moves, outermost = transformations(chain, f"{place}/transformations", capture.rows)
    positioners: dict[str, Node] = {
        f"sample_{axis.motor.name.removeprefix('sam_')}": positioner(
            axis, f"{place}/transformations", pv(beamline, axis.motor.name)
        )
        for axis in chain
    }
    return group(
        "NXsample",
        {
            "name": data(beamline.sample.name),
            "depends_on": data(outermost),
            "transformations": moves,
            "beam": SoftLink(path=f"{entry}/instrument/beam"),
            **positioners,
        },
    )
