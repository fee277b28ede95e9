"""The fields that every EPICS record has and Channel Access can read: dbCommon of EPICS base 7.

Menus of alarm states have 22 choices in base and 16 on Channel Access, so STAT and NSTA have the first 16.
"""

from __future__ import annotations

from ioc.records import Kind, Record
from ioc.tables.build import ACTS, READONLY, choice, shown, string, whole
from ioc.tables.motor_menus import PINI, SCANS, STATUSES, AlarmLevel, NoYes


def common(rtype: str, device: str, description: str = "") -> tuple[Record, ...]:
    """Fields of any record, for a device ``NAME.``.

    Args:
        rtype: Record type.
        device: The one choice of DTYP.
        description: DESC.
    """
    return (
        shown("NAME", "", "Name of the record."),
        shown("RTYP", rtype, "Record type."),
        string("DESC", description, "What it is; free text.", rbv=False),
        choice("DTYP", (device,), doc="Device support.", rbv=False),
        *_processing(),
        *_disabling(),
        *_alarms(),
    )


def _processing() -> tuple[Record, ...]:
    kept = "Kept; this record is not scanned"
    return (
        choice("SCAN", SCANS, doc=f"{kept}: readbacks come by themselves.", rbv=False),
        choice("PINI", PINI, doc=f"{kept} at start.", rbv=False),
        whole("PHAS", 0, f"{kept}, so it has no order among others.", rbv=False, kind=Kind.SHORT),
        string("EVNT", "", f"{kept} by events.", rbv=False),
        choice("PRIO", ("LOW", "MEDIUM", "HIGH"), doc=f"{kept}, so it has no priority.", rbv=False),
        whole("TSE", 0, "Kept; time stamps are the server's time.", rbv=False, kind=Kind.SHORT),
        string("TSEL", "", "Kept; time stamps are the server's time.", rbv=False),
        string("ASG", "", "Kept; who may put is the server's rule.", rbv=False),
        string("FLNK", "", "Kept; no link is followed.", rbv=False),
        whole("PROC", 0, "Process the record.", does=ACTS, rbv=False, kind=Kind.CHAR),
        whole("TPRO", 0, "Whether processing is logged.", does=ACTS, rbv=False, kind=Kind.CHAR),
        whole("PUTF", 0, "Whether a put is being processed.", does=READONLY, kind=Kind.CHAR),
        *(
            whole(name, 0, f"{what}; always 0 between two looks.", does=READONLY, kind=Kind.CHAR)
            for name, what in (("PACT", "Processing"), ("LCNT", "Locked out"), ("RPRO", "To be processed"))
        ),
        shown("UTAG", 0.0, "Tag of the time stamp; none."),
    )


def _disabling() -> tuple[Record, ...]:
    return (
        whole(
            "DISA", 0, "The record is disabled while it equals DISV.", does=ACTS, rbv=False, kind=Kind.SHORT
        ),
        whole("DISV", 1, "Value of DISA that disables.", does=ACTS, rbv=False, kind=Kind.SHORT),
        string("SDIS", "", "Kept; no link gives DISA its value.", rbv=False),
        whole("DISP", 0, "Not 0 refuses puts to all other fields.", does=ACTS, rbv=False, kind=Kind.CHAR),
        choice("DISS", AlarmLevel, doc="Alarm severity of a disabled record.", does=ACTS, rbv=False),
    )


def _alarms() -> tuple[Record, ...]:
    return (
        choice("SEVR", AlarmLevel, doc="Alarm severity.", does=READONLY),
        choice("STAT", STATUSES, doc="Alarm status.", does=READONLY),
        string("AMSG", "", "Alarm message; none.", does=READONLY),
        choice("NSEV", AlarmLevel, doc="New alarm severity; none between two looks.", does=READONLY),
        choice("NSTA", STATUSES, doc="New alarm status; none between two looks.", does=READONLY),
        string("NAMSG", "", "New alarm message; none.", does=READONLY),
        choice(
            "ACKS", AlarmLevel, doc="Always NO_ALARM: alarms are not kept for acknowledgement.", does=READONLY
        ),
        choice("ACKT", NoYes, NoYes.YES, "Whether transients must be acknowledged.", does=READONLY),
        whole("UDF", 0, "Not 0 says that the value is undefined.", does=ACTS, rbv=False, kind=Kind.CHAR),
        choice("UDFS", AlarmLevel, "INVALID", "Kept; the record's severity of UDF is INVALID.", rbv=False),
    )
