"""The asyn record of a port, as ``AsynIO``, with the fields that screens and clients read.

Mirrors asynRecord.dbd (asyn R4-45). The port of a simulated detector has no driver of that kind behind it: it
is connected and enabled, and its trace settings echo.
"""

from __future__ import annotations

from ioc.records import Record
from ioc.tables.build import choice, number, shown, string, told, whole

_TRACE = {0: "Error", 1: "IO device", 2: "IO filter", 3: "IO driver", 4: "Flow", 5: "Warning"}
_FORMATS = ("ASCII", "Escape", "Hex")


def asyn(port: str) -> tuple[Record, ...]:
    """The record and its fields.

    Args:
        port: The asyn port's name.
    """
    off_on = ("Off", "On")
    return (
        whole("AsynIO", 0, "The asyn record of the port; its value means nothing.", rbv=False, rtype="asyn"),
        shown("AsynIO.PORT", port, "Name of the port."),
        shown("AsynIO.ADDR", 0, "Address at the port."),
        told("AsynIO.PCNCT", ("Disconnect", "Connect"), "Connect", "Whether the record is connected."),
        told("AsynIO.CNCT", ("Disconnect", "Connect"), "Connect", "Whether the port is connected."),
        told("AsynIO.ENBL", ("Disable", "Enable"), "Enable", "Whether the port is enabled."),
        told("AsynIO.AUCT", ("noAutoConnect", "autoConnect"), "autoConnect", "Whether it connects itself."),
        shown("AsynIO.ERRS", "", "Latest error."),
        number("AsynIO.TMOT", 1.0, "Echoes: time limit of a transfer.", rbv=False, units="s", precision=4),
        whole("AsynIO.TMSK", 1, "Echoes: trace mask.", rbv=False),
        *(
            choice(f"AsynIO.TB{bit}", off_on, "Off" if bit else "On", f"Echoes: trace, {what}.", rbv=False)
            for bit, what in _TRACE.items()
        ),
        whole("AsynIO.TIOM", 0, "Echoes: trace format mask.", rbv=False),
        *(
            choice(f"AsynIO.TIB{bit}", off_on, "Off", f"Echoes: trace in {what}.", rbv=False)
            for bit, what in enumerate(_FORMATS)
        ),
        whole("AsynIO.TSIZ", 80, "Echoes: bytes that a trace shows.", rbv=False),
        string("AsynIO.TFIL", "", "Echoes: file of the trace.", rbv=False),
    )
