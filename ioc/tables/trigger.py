"""A position trigger: fires the detectors when a motor crosses a position, as a position-compare box does."""

from __future__ import annotations

from ioc.menus import DisableEnable, TriggerDirection
from ioc.records import Record
from ioc.tables.build import ACTS, choice, number, said, shown, text, told, whole


def trigger(motors: tuple[str, ...] = ()) -> tuple[Record, ...]:
    """Records of the trigger device.

    Args:
        motors: Names of the beamline's motors; the first is chosen at boot.
    """
    return (
        text("Motor", motors[0] if motors else "", "Motor that is watched, by its name.", does=ACTS),
        number("Position", 0.0, "Position that fires, in the motor's units.", does=ACTS, precision=6),
        choice("Direction", TriggerDirection, "Either", "Way of crossing that fires.", does=ACTS),
        choice("Arm", DisableEnable, "Disable", "Wait for the crossing; one fires once.", does=ACTS),
        number("PulseWidth", 0.0, "Width of a pulse, for External Enable.", does=ACTS, units="s"),
        choice(
            "PulseIn",
            ("Low", "High"),
            doc="A pulse by software, as if the input went up.",
            does=ACTS,
            rbv=False,
        ),
        told("Armed_RBV", ("Unarmed", "Armed"), doc="Whether it waits."),
        shown("Fired_RBV", 0.0, "Position of the latest crossing.", precision=6),
        shown("FiredAt_RBV", 0.0, "Unix time of it.", units="s", precision=6),
        shown("Count_RBV", 0, "Pulses so far."),
        said("Message_RBV", "", "What it waits for, or what went wrong."),
        whole(
            "Pulses",
            1,
            "Crossings that fire before it disarms itself; 0 is any number.",
            does=ACTS,
            low=0,
            high=10**9,
        ),
    )
