"""What the three preview plugins share: statistics, image and region of interest of a detector's stream.

They are NDPluginBase to clients. Behind them stands a process that is given the latest frame now and then,
at most 20 times a second: nothing waits in a queue, and a frame that was passed over is no loss.
"""

from __future__ import annotations

from ioc.records import PvClass, Record
from ioc.tables.array import nd_array
from ioc.tables.build import ACTS, ECHOES, number, shown, whole
from ioc.tables.plugin import driver, plugin

RATE_LIMIT = 20.0
"""Frames per second that a detector's previews are given at most."""


def preview(
    kind: str,
    port: str,
    source: str,
    *own: Record,
    interval: float = 0.0,
    attributes: PvClass = ECHOES,
    callbacks: PvClass = ECHOES,
) -> tuple[Record, ...]:
    """Records of one preview plugin.

    Args:
        kind: What PluginType_RBV says.
        port: Its asyn port's name.
        source: The port whose frames it takes at boot.
        own: What it has beside NDPluginBase; a record of the same name stands in place of the base's.
        interval: MinCallbackTime at boot, s.
        attributes: What becomes of puts of NDAttributesFile and NDAttributesMacros.
        callbacks: What becomes of puts of ArrayCallbacks: whether other previews can take what it makes.
    """
    base = (
        *nd_array(port, attributes=attributes, callbacks=callbacks, pool=ECHOES),
        *driver(),
        *plugin(kind, source, rates=ACTS, port=ACTS, process=ACTS),
    )
    return together(base, _passing(interval), own)


def together(*groups: tuple[Record, ...]) -> tuple[Record, ...]:
    """Tables as one: of records with the same name the last stands, where the first stood."""
    found: dict[str, Record] = {}
    for group in groups:
        found |= {record.name: record for record in group}
    paired = {f"{record.name}_RBV" for record in found.values() if record.readback}
    return tuple(record for name, record in found.items() if name not in paired)


def _passing(interval: float) -> tuple[Record, ...]:
    """Records of NDPluginBase that have a meaning of their own where the latest frame wins."""
    least = "Least time between frames; the latest that came meanwhile is taken when it is over."
    return (
        whole("ArrayCounter", 0, "Frames that were computed since it was last set.", does=ACTS),
        whole(
            "QueueSize",
            1,
            "Sets what QueueFree and the queue's limits show; no frame waits, the latest is taken.",
            does=ACTS,
            low=1,
            high=10**6,
        ),
        shown("QueueFree", 1, "Room in the queue: always, as nothing waits."),
        shown("QueueFreeLow", 0.25, "Room that is a warning.", precision=0, rtype="calcout"),
        shown("QueueUseHIGH", 0.75, "Frames that are a warning.", precision=0, rtype="calcout"),
        shown("QueueUseHIHI", 1.0, "Frames that are an alarm.", precision=0, rtype="calcout"),
        whole(
            "DroppedArrays",
            0,
            "Frames that came and could not be computed; a put sets where to count from. Frames that were "
            "passed over are in NumSkipped_RBV.",
            does=ACTS,
        ),
        shown(
            "NumSkipped_RBV", 0, "Frames of the detector that were passed over since ArrayCounter was set."
        ),
        whole("DroppedOutputArrays", 0, "Echoes: what is handed on is taken or passed over."),
        whole("DisorderedArrays", 0, "Echoes: a frame older than the latest is not taken."),
        number("MinCallbackTime", interval, least, does=ACTS, units="s", precision=3, low=0.0, high=86400.0),
        whole("NDArrayAddress", 0, "Address at the port: 0, as a detector's stream has one.", does=ACTS),
    )
