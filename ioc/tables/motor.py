"""All fields of the motor record (motorRecord.dbd of synApps motor), as records of a device ``PREFIX.``.

What a motor computes from its state it posts itself; fields that describe a controller, links
and alarms echo.
"""

from __future__ import annotations

from ioc.menus import Direction, OffsetMode, Spmg, UseSet
from ioc.records import Kind, PvClass, Record
from ioc.tables.build import ACTS, ECHOES, READONLY, choice, number, shown, string, whole

_SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
_STATUSES = (
    *("NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT"),
    *("HW_LIMIT", "CALC", "SCAN", "LINK", "SOFT"),
)
_SCANS = (
    *("Passive", "Event", "I/O Intr", "10 second", "5 second", "2 second", "1 second"),
    *(".5 second", ".2 second", ".1 second"),
)
_NO_YES = ("No", "Yes")
_YES_NO = ("NO", "YES")
_ENABLE = ("Disable", "Enable")


def motor(units: str = "", precision: int = 4, description: str = "") -> tuple[Record, ...]:
    """Records of one motor.

    Args:
        units: Engineering units.
        precision: Decimals.
        description: DESC.
    """
    rate = f"{units}/s" if units else ""

    def speed(name: str, doc: str, does: PvClass = ACTS, initial: float = 1.0) -> Record:
        return number(name, initial, doc, does=does, rbv=False, units=rate, precision=precision)

    def seconds(name: str, doc: str, does: PvClass = ACTS, initial: float = 0.2) -> Record:
        return number(name, initial, doc, does=does, rbv=False, units="s", precision=4)

    return (
        *_positions(units, precision),
        speed("VELO", "Speed of a move."),
        speed("VBAS", "Least speed.", initial=0.0),
        speed("VMAX", "Greatest speed; 0 is any."),
        speed("JVEL", "Speed of a jog."),
        speed("HVEL", "Speed of homing."),
        speed("BVEL", "Speed of backlash correction.", ECHOES),
        *(number(n, 1.0, "Revolutions per second.", does=ACTS, rbv=False) for n in ("S", "SBAS", "SMAX")),
        number("SBAK", 1.0, "Revolutions per second of backlash.", rbv=False),
        seconds("ACCL", "Time from rest to speed."),
        speed("ACCS", "Acceleration."),
        choice("ACCU", ("Accl", "Accs"), doc="Which of the two stays when VELO changes.", rbv=False),
        speed("JAR", "Acceleration of a jog."),
        seconds("BACC", "Acceleration time of backlash correction.", ECHOES),
        seconds("DLY", "Time to settle before a move is done.", initial=0.0),
        *_commands(),
        *_scale(),
        *_controller(units),
        *_record(units, precision, description),
    )


def _positions(units: str, precision: int) -> tuple[Record, ...]:
    def user(name: str, doc: str, does: PvClass = ACTS) -> Record:
        return number(name, 0.0, doc, does=does, rbv=False, units=units, precision=precision)

    return (
        Record(
            name="VAL",
            kind=Kind.DOUBLE,
            initial=0.0,
            units=units,
            precision=precision,
            clamp=False,
            pv_class=ACTS,
            rtype="motor",
            doc="Where to go, user coordinates; a put completes when the motion has ended.",
        ),
        user("DVAL", "Where to go, dial coordinates."),
        whole("RVAL", 0, "Where to go, steps.", does=ACTS, rbv=False),
        user("RLV", "How far to go."),
        user("RBV", "Where it is, user coordinates.", READONLY),
        user("DRBV", "Where it is, dial coordinates.", READONLY),
        whole("RRBV", 0, "Where it is, steps.", does=READONLY),
        user("DIFF", "Way to go, dial.", READONLY),
        whole("RDIF", 0, "Way to go, steps.", does=READONLY),
        user("HLM", "High limit, user."),
        user("LLM", "Low limit, user."),
        user("DHLM", "High limit, dial; both 0 is no limits."),
        user("DLLM", "Low limit, dial."),
        user("OFF", "User position of dial 0."),
        *(user(n, "Latest of its kind.", READONLY) for n in ("LVAL", "LDVL", "LRLV", "ALST", "MLST")),
        whole("LRVL", 0, "Latest of its kind.", does=READONLY),
        user("HOPR", "High end of displays.", ECHOES),
        user("LOPR", "Low end of displays.", ECHOES),
        *(user(n, "Alarm limit.", ECHOES) for n in ("HIHI", "HIGH", "LOW", "LOLO")),
        *(choice(n, _SEVERITIES, doc="Its severity.", rbv=False) for n in ("HHSV", "HSV", "LSV", "LLSV")),
        choice("HLSV", _SEVERITIES, "MAJOR", "Severity of a limit switch.", rbv=False),
    )


def _commands() -> tuple[Record, ...]:
    def button(name: str, doc: str) -> Record:
        return whole(name, 0, doc, does=ACTS, rbv=False, kind=Kind.SHORT)

    def flag(name: str, doc: str, initial: int = 0) -> Record:
        return whole(name, initial, doc, does=READONLY, kind=Kind.SHORT)

    return (
        button("STOP", "Come to rest."),
        choice("SPMG", Spmg, Spmg.GO, "Stop, pause, one move, or go.", does=ACTS, rbv=False),
        button("TWF", "Go forward by TWV."),
        button("TWR", "Go back by TWV."),
        number("TWV", 1.0, "How far a tweak goes.", does=ACTS, rbv=False),
        button("JOGF", "Go forward while it is 1."),
        button("JOGR", "Go back while it is 1."),
        button("HOMF", "Look for home, forward."),
        button("HOMR", "Look for home, backward."),
        button("SYNC", "Make VAL what RBV is."),
        choice("SET", UseSet, doc="Whether VAL moves or redefines.", does=ACTS, rbv=False),
        button("SSET", "SET to Set."),
        button("SUSE", "SET to Use."),
        choice("FOFF", OffsetMode, doc="Whether redefining changes OFF or the dial.", does=ACTS, rbv=False),
        button("FOF", "FOFF to Frozen."),
        button("VOF", "FOFF to Variable."),
        choice("DIR", Direction, doc="Sense of user against dial.", does=ACTS, rbv=False),
        flag("DMOV", "Whether the motion is done.", 1),
        flag("MOVN", "Whether it moves."),
        flag("TDIR", "Way it goes, raw.", 1),
        flag("CDIR", "Way it was told to go, raw.", 1),
        flag("HLS", "High limit switch, user."),
        flag("LLS", "Low limit switch, user."),
        flag("RHLS", "High limit switch, raw."),
        flag("RLLS", "Low limit switch, raw."),
        flag("ATHM", "Whether it is at home."),
        flag("LVIO", "Whether the latest put was beyond the limits."),
        flag("MISS", "Whether it has missed its target."),
        flag("MIP", "What is in progress, in bits."),
        whole("MSTA", 2, "Status in bits.", does=READONLY),
        flag("RCNT", "Retries so far."),
        flag("PP", "Post-processing."),
        *(whole(n, 0, "Marks of the record.", does=READONLY) for n in ("MMAP", "NMAP", "REP", "RMP", "RVEL")),
        choice("LSPG", Spmg, Spmg.GO, "Latest SPMG.", does=READONLY),
    )


def _scale() -> tuple[Record, ...]:
    return (
        number("MRES", 1e-4, "Length of a step.", does=ACTS, rbv=False, precision=9),
        number("UREV", 0.02, "Length of a revolution.", does=ACTS, rbv=False, precision=9),
        whole("SREV", 200, "Steps of a revolution.", does=ACTS, rbv=False),
        number("ERES", 1e-4, "Length of an encoder's step.", rbv=False, precision=9),
        number("RRES", 1.0, "Length of a readback's step.", rbv=False, precision=9),
        number("RDBD", 1e-4, "Way that is no way: retries end.", rbv=False, precision=9),
        number("SPDB", 0.0, "Way of the setpoint that is no way.", rbv=False, precision=9),
        number("BDST", 0.0, "Backlash.", rbv=False),
        number("FRAC", 1.0, "Part of the way that a move goes.", rbv=False),
        number("MDEL", 0.0, "Deadband of monitors.", rbv=False),
        number("ADEL", 0.0, "Deadband of archives.", rbv=False),
        choice("UEIP", _NO_YES, "No", "Whether there is an encoder.", rbv=False),
        choice("URIP", _NO_YES, "No", "Whether there is a readback link.", rbv=False),
        whole("RTRY", 0, "Retries at most.", rbv=False, kind=Kind.SHORT),
        choice(
            "RMOD", ("Default", "Arithmetic", "Geometric", "In-Position"), doc="Kind of retry.", rbv=False
        ),
    )


def _controller(units: str) -> tuple[Record, ...]:
    return (
        number("RHLM", 0.0, "High limit of the controller.", rbv=False, units=units),
        number("RLLM", 0.0, "Low limit of the controller.", rbv=False, units=units),
        *(number(n, 0.0, "Gain of the controller.", rbv=False) for n in ("PCOF", "ICOF", "DCOF")),
        choice("CNEN", _ENABLE, "Enable", "Torque.", rbv=False),
        choice("NTM", _YES_NO, "YES", "Whether a new target is taken at once.", rbv=False),
        whole("NTMF", 2, "By how much.", rbv=False, kind=Kind.SHORT),
        choice("RSTM", ("Never", "Always", "NearZero", "Conditional"), "NearZero", "Restore.", rbv=False),
        choice("STUP", ("OFF", "ON", "BUSY"), doc="Ask for the status.", rbv=False),
        choice("OMSL", ("supervisory", "closed_loop"), doc="Where VAL comes from.", rbv=False),
        choice("LOCK", _YES_NO, doc="Soft channel's lock.", rbv=False),
        whole("IGSET", 0, "Ignore SET.", rbv=False, kind=Kind.SHORT),
        whole("CARD", 0, "Card.", does=READONLY, kind=Kind.SHORT),
        string("OUT", "@asyn(SOFTBEAM,0)", "Link to the controller.", rbv=False),
        *(string(n, "", "Link.", rbv=False) for n in ("DINP", "DOL", "RDBL", "RINP", "RLNK", "STOO")),
        *(string(n, "", "Command of the controller.", rbv=False) for n in ("INIT", "POST", "PREM")),
        string("DTYP", "softbeam", "Device support.", does=READONLY),
        shown("VERS", 7.0, "Version of the record."),
        whole("CBAK", 0, "Callback.", does=READONLY),
    )


def _record(units: str, precision: int, description: str) -> tuple[Record, ...]:
    return (
        string("EGU", units, "Units.", rbv=False, does=ACTS),
        whole("PREC", precision, "Decimals.", rbv=False, does=ACTS, kind=Kind.SHORT, low=0, high=15),
        string("DESC", description, "What it is.", rbv=False),
        shown("RTYP", "motor", "Record type."),
        shown("NAME", "", "Name of the record."),
        choice("SEVR", _SEVERITIES, doc="Alarm severity.", does=READONLY),
        choice("STAT", _STATUSES, doc="Alarm status.", does=READONLY),
        choice("NSEV", _SEVERITIES, doc="New alarm severity.", does=READONLY),
        choice("NSTA", _STATUSES, doc="New alarm status.", does=READONLY),
        choice("ACKS", _SEVERITIES, doc="Alarm to acknowledge.", does=READONLY),
        choice("ACKT", _YES_NO, "YES", "Whether transients are acknowledged.", does=READONLY),
        choice("UDFS", _SEVERITIES, "INVALID", "Severity of no value.", rbv=False),
        choice("DISS", _SEVERITIES, doc="Severity of disabled.", rbv=False),
        choice("SCAN", _SCANS, doc="Scan rate.", rbv=False),
        choice(
            "PINI", ("NO", "YES", "RUN", "RUNNING", "PAUSE", "PAUSED"), doc="Process at start.", rbv=False
        ),
        choice("PRIO", ("LOW", "MEDIUM", "HIGH"), doc="Priority.", rbv=False),
        *(whole(n, 0, "Field of any record.", rbv=False, kind=Kind.SHORT) for n in ("DISA", "PHAS", "TSE")),
        *(whole(n, 0, "Field of any record.", rbv=False, kind=Kind.SHORT) for n in ("PROC", "TPRO", "UDF")),
        *(whole(n, 0, "Field of any record.", does=READONLY, kind=Kind.SHORT) for n in ("PACT", "PUTF")),
        *(whole(n, 0, "Field of any record.", does=READONLY, kind=Kind.SHORT) for n in ("LCNT", "RPRO")),
        whole("DISV", 1, "Field of any record.", rbv=False, kind=Kind.SHORT),
        whole("DISP", 0, "Field of any record.", rbv=False, kind=Kind.SHORT),
        *(string(n, "", "Field of any record.", rbv=False) for n in ("ASG", "EVNT", "FLNK", "SDIS", "TSEL")),
    )
