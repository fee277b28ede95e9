"""NDPluginBase.template: what every plugin of areaDetector has beside the records of its arrays.

The queue, the threads and the sorting are those of a plugin that runs inside an IOC; which of them mean
something here is said record by record.
"""

from __future__ import annotations

from ioc.menus import DisableEnable, NoYes
from ioc.records import PvClass, Record
from ioc.tables.build import ACTS, ECHOES, choice, number, shown, string, told, whole


def plugin(
    kind: str,
    source: str,
    *,
    rates: PvClass = ECHOES,
    queue: PvClass = ECHOES,
    port: PvClass = ECHOES,
    process: PvClass = ECHOES,
) -> tuple[Record, ...]:
    """Records of NDPluginBase.

    Args:
        kind: What PluginType_RBV says, such as NDFileHDF5.
        source: Port whose arrays are taken.
        rates: What becomes of puts of MinCallbackTime, MaxArrayRate and MaxByteRate.
        queue: What becomes of puts of QueueSize.
        port: What becomes of puts of NDArrayPort.
        process: What becomes of puts of ProcessPlugin.
    """
    return (
        shown("PluginType_RBV", kind, "Kind of plugin."),
        string("NDArrayPort", source, "Port whose arrays are taken.", does=port),
        whole("NDArrayAddress", 0, "Address at the port; a detector's stream has one."),
        choice(
            "EnableCallbacks", DisableEnable, "Enable", "Whether frames are taken; acts at once.", does=ACTS
        ),
        choice(
            "BlockingCallbacks", NoYes, "No", "Echoes: the camera is another process and never waits for it."
        ),
        choice(
            "ProcessPlugin", ("Done", "Process"), doc="Take the latest frame again.", does=process, rbv=False
        ),
        *_queue(queue),
        whole(
            "DroppedArrays", 0, "Frames that were lost on the way; a put sets where to count from.", does=ACTS
        ),
        whole("DroppedOutputArrays", 0, "Echoes: frames are handed on to no further plugin."),
        whole("DisorderedArrays", 0, "Echoes: frames are placed by their number, so order is no matter."),
        number("MinCallbackTime", 0.0, "Least time between frames.", does=rates, units="s", precision=3),
        number("MaxByteRate", 0.0, "Most bytes per second.", does=rates, units="B/s", precision=3),
        number("MaxArrayRate", 0.0, "Most frames per second.", does=rates, units="Hz", precision=3),
        number("MaxArrayRate_COUT", 0.0, "Echoes: MaxArrayRate says it.", rbv=False, rtype="calcout"),
        whole("NumThreads", 1, "Echoes: one process does the work.", low=1, high=64),
        shown("MaxThreads_RBV", 1, "Threads at most."),
        choice(
            "SortMode",
            ("Unsorted", "Sorted"),
            "Unsorted",
            "Echoes: frames are placed by their number.",
            rtype="mbbo",
        ),
        number("SortTime", 0.1, "Echoes: nothing waits for its turn.", units="s", precision=3),
        whole("SortSize", 20, "Echoes: nothing waits for its turn."),
        shown("SortFree", 20, "Room for frames out of order."),
        shown("SortFreeLow", 0.0, "Room that is a warning.", precision=0, rtype="calcout"),
        shown("ExecutionTime_RBV", 0.0, "Time that a frame took, on average.", units="ms", precision=3),
    )


def _queue(does: PvClass) -> tuple[Record, ...]:
    return (
        whole("QueueSize", 1000, "Frames that may wait.", does=does, low=1, high=10**6),
        shown("QueueFree", 1000, "Room in the queue."),
        shown("QueueFreeLow", 250.0, "Room that is a warning.", precision=0, rtype="calcout"),
        shown("QueueUse", 0.0, "Frames that wait.", precision=0, rtype="calc"),
        shown("QueueUseHIGH", 750.0, "Frames that are a warning.", precision=0, rtype="calcout"),
        shown("QueueUseHIHI", 1000.0, "Frames that are an alarm.", precision=0, rtype="calcout"),
    )


def driver() -> tuple[Record, ...]:
    """What ADCore gives to everything with an asyn port, and what means something for cameras only."""
    acquiring = ("Done", "Acquiring")
    unused = "Echoes: a plugin does not acquire."
    texts = ("Manufacturer", "Model", "SerialNumber", "FirmwareVersion", "SDKVersion")
    return (
        *(shown(f"{name}_RBV", "Unknown", "Of cameras.") for name in texts),
        choice("Acquire", ("Done", "Acquire"), doc=unused, readback_menu=acquiring),
        choice("AcquireBusy", acquiring, doc=unused, rbv=False, rtype="busy"),
        told("AcquireBusyCB", acquiring, doc="Of cameras."),
        choice("WaitForPlugins", NoYes, "No", unused, rbv=False),
        shown("SetAcquireBusy", 0.0, "Of cameras.", precision=0, rtype="calcout"),
        shown("ClearAcquireBusy", 0.0, "Of cameras.", precision=0, rtype="calcout"),
    )
