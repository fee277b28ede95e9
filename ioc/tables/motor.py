"""All fields of the motor record (motorRecord.dbd of synApps motor), as records of a device ``PREFIX.``.

What a motor computes from its state it posts itself. Types on the wire are those of Channel Access: an
unsigned long of the record is a double there, an unsigned short a long, a link a string.
"""

from __future__ import annotations

from dataclasses import replace

from ioc.menus import Direction, DisableEnable, NoYes, OffsetMode, Spmg, UseSet
from ioc.records import Kind, Menu, PvClass, Record
from ioc.tables.build import ACTS, ECHOES, READONLY, choice, number, string, whole
from ioc.tables.common import common
from ioc.tables.motor_menus import (
    AccelerationUsed,
    AlarmLevel,
    OutputMode,
    RestoreMode,
    RetryMode,
    StatusUpdate,
)
from ioc.tables.motor_menus import NoYes as NoYesOfBase

UNITS_SIZE = 8
"""Bytes of the units that Channel Access carries, the last of them NUL."""
_SPEEDS = {"VELO", "VMAX", "BVEL", "VBAS", "JVEL", "HVEL"}
_UNITS = {
    **dict.fromkeys(("ACCL", "BACC"), "sec"),
    **dict.fromkeys(("S", "SBAS", "SBAK"), "rev/sec"),
    "SREV": "steps/rev",
}
VERSION = 7.400000095367432
"""7.4, as 32 bits hold it."""


def units_of(field: str, units: str) -> str:
    """Units that the record tells with a field: those of EGU unless it knows better."""
    if field in _SPEEDS:
        said = f"{units}/sec"
    elif field == "JAR":
        said = f"{units}/s/s"
    elif field == "UREV":
        said = f"{units}/rev"
    else:
        said = _UNITS.get(field, units)
    return said[: UNITS_SIZE - 1]


def motor(units: str = "", precision: int = 4, description: str = "") -> tuple[Record, ...]:
    """Records of one motor.

    Args:
        units: Engineering units.
        precision: Decimals.
        description: DESC.
    """
    fields = (
        *_targets(),
        *_readbacks(),
        *_limits(),
        *_speeds(),
        *_scale(),
        *_accuracy(),
        *_commands(),
        *_states(),
        *_controller(),
        string("EGU", units, "Units, of all its values.", rbv=False, does=ACTS),
        _short("PREC", "Decimals, of all its values.", initial=precision),
    )
    records = (*fields, *common("motor", "softbeam", description))
    return tuple(_described(record, units, precision) for record in records)


def _described(record: Record, units: str, precision: int) -> Record:
    record = replace(record, rtype="motor")
    if record.kind in (Kind.ENUM, Kind.STRING):
        return record
    decimals = 2 if record.name == "VERS" else precision
    return replace(record, units=units_of(record.name, units), precision=decimals, clamp=False)


def _double(name: str, doc: str, does: PvClass = ACTS, initial: float = 0.0) -> Record:
    return number(name, initial, doc, does=does, rbv=False)


def _long(name: str, doc: str, does: PvClass = ACTS, initial: int = 0) -> Record:
    return whole(name, initial, doc, does=does, rbv=False)


def _short(name: str, doc: str, does: PvClass = ACTS, initial: int = 0) -> Record:
    return whole(name, initial, doc, does=does, rbv=False, kind=Kind.SHORT)


def _menu(name: str, menu: Menu, doc: str, does: PvClass = ACTS, initial: str | None = None) -> Record:
    return choice(name, menu, initial, doc, does=does, rbv=False)


def _link(name: str, doc: str, initial: str = "") -> Record:
    return string(name, initial, f"{doc}; kept, no link is followed.", rbv=False)


def _targets() -> tuple[Record, ...]:
    return (
        Record(
            name="VAL",
            kind=Kind.DOUBLE,
            initial=0.0,
            clamp=False,
            pv_class=ACTS,
            rtype="motor",
            doc="Where to go, user coordinates; a put completes when the motion has ended.",
        ),
        _double("DVAL", "Where to go, dial coordinates."),
        _long("RVAL", "Where to go, steps."),
        _double("RLV", "How far to go from VAL; 0 again when taken."),
        _double("TWV", "How far a tweak goes.", initial=1.0),
        _double("LVAL", "VAL that was acted on last.", READONLY),
        _double("LDVL", "DVAL that was acted on last.", READONLY),
        _long("LRVL", "RVAL that was acted on last.", READONLY),
        _double("LRLV", "RLV that was acted on last.", READONLY),
    )


def _readbacks() -> tuple[Record, ...]:
    return (
        _double("RBV", "Where it is, user coordinates, in whole steps.", READONLY),
        _double("DRBV", "Where it is, dial coordinates, in whole steps.", READONLY),
        _long("RRBV", "Where it is, steps.", READONLY),
        _long("RMP", "Steps of the motor.", READONLY),
        _long("REP", "Counts of the encoder.", READONLY),
        _long("RVEL", "Steps per second.", READONLY),
        _double("DIFF", "Way to go, dial: DVAL - DRBV.", READONLY),
        _long("RDIF", "Way to go, steps.", READONLY),
        _double("MDEL", "RBV's monitors leave out changes up to this; 0 leaves out none."),
        _double("ADEL", "RBV's archive monitors leave out changes up to this; 0 leaves out none."),
        _double("MLST", "RBV of the latest monitor, where MDEL is set.", READONLY),
        _double("ALST", "RBV of the latest archive monitor, where ADEL is set.", READONLY),
    )


def _limits() -> tuple[Record, ...]:
    display = "Shown as alarm limit of VAL and DVAL; the motor record raises no alarm by it."
    unused = "Kept; the motor record raises no alarm by it."
    return (
        _double("HLM", "High soft limit, user; follows DHLM, OFF and DIR."),
        _double("LLM", "Low soft limit, user; follows DLLM, OFF and DIR."),
        _double("DHLM", "High soft limit, dial; DHLM and DLLM both 0 is no limits."),
        _double("DLLM", "Low soft limit, dial."),
        _double("RHLM", "High soft limit, steps.", READONLY),
        _double("RLLM", "Low soft limit, steps.", READONLY),
        _double("HOPR", "Kept; displays are told HLM.", ECHOES),
        _double("LOPR", "Kept; displays are told LLM.", ECHOES),
        *(_double(name, display) for name in ("HIHI", "HIGH", "LOW", "LOLO")),
        *(_menu(name, AlarmLevel, unused, ECHOES) for name in ("HHSV", "HSV", "LSV", "LLSV")),
        _menu("HLSV", AlarmLevel, "Alarm severity of a limit switch, or of DVAL beyond the limits."),
    )


def _speeds() -> tuple[Record, ...]:
    return (
        _double("VELO", "Speed of a move, from VBAS to VMAX.", initial=1.0),
        _double("VBAS", "Speed at which it sets out."),
        _double("VMAX", "Greatest speed; 0 is any."),
        _double("BVEL", "Speed of taking up backlash.", initial=1.0),
        _double("JVEL", "Speed of a jog; it stops a second before a soft limit.", initial=1.0),
        _double("HVEL", "Speed of homing.", initial=1.0),
        _double("S", "VELO in revolutions."),
        _double("SBAS", "VBAS in revolutions."),
        _double("SMAX", "VMAX in revolutions."),
        _double("SBAK", "BVEL in revolutions."),
        _double("ACCL", "Time from VBAS to VELO.", initial=0.2),
        _double("ACCS", "Acceleration of a move.", initial=5.0),
        _menu("ACCU", AccelerationUsed, "Which of ACCL and ACCS stays when VELO changes."),
        _double("BACC", "Time from VBAS to BVEL.", initial=0.2),
        _double("JAR", "Acceleration of a jog.", initial=5.0),
    )


def _scale() -> tuple[Record, ...]:
    return (
        _double("MRES", "Length of a step; speeds in revolutions and limits in steps stay.", initial=1e-4),
        _double("UREV", "Length of a revolution: MRES times SREV.", initial=0.02),
        _long("SREV", "Steps of a revolution.", initial=200),
        _double("ERES", "Length of an encoder's count, where UEIP is Yes.", initial=1e-4),
        _double("RRES", "Kept; no readback link is followed.", ECHOES),
        _menu("UEIP", NoYes, "Whether readbacks are the encoder's; Yes sets URIP No."),
        _menu("URIP", NoYes, "Whether retries trust a readback link; none is followed. Yes sets UEIP No."),
        _double("OFF", "User position of dial 0."),
        _menu("DIR", Direction, "Sense of user against dial."),
        _menu("FOFF", OffsetMode, "Whether redefining changes OFF or the dial."),
        _menu("SET", UseSet, "Whether targets move or redefine."),
        _short("IGSET", "Not 0 makes targets move whatever SET is."),
        _menu("OMSL", OutputMode, "closed_loop leaves VAL alone after a stop."),
    )


def _accuracy() -> tuple[Record, ...]:
    return (
        _double("BDST", "Backlash: every move ends in its direction, from so far away."),
        Record(
            name="FRAC",
            kind=Kind.FLOAT,
            initial=1.0,
            pv_class=ACTS,
            doc="Part of the way that a move, or its last part with backlash, goes; 0.1 to 1.5.",
        ),
        _short("RTRY", "Most retries; 0 is none.", initial=10),
        _menu("RMOD", RetryMode, "How retries go."),
        _double("RDBD", "Distance from the target that ends retries, at least a step.", initial=1e-4),
        _double("SPDB", "Distance of a new target from DRBV up to which nothing moves; 0 is a step."),
        _double("DLY", "Time to settle before a motion is judged and done, s."),
        _menu("NTM", NoYesOfBase, "Whether a new target behind it stops a move at once.", initial="YES"),
        _long("NTMF", "So many times BDST + RDBD behind it, and 2 at least.", initial=2),
        _short("RCNT", "Retries so far.", READONLY),
        _short("MISS", "Whether the retries did not suffice.", READONLY),
    )


def _commands() -> tuple[Record, ...]:
    return (
        _menu("SPMG", Spmg, "Stop, pause, one move, or go.", initial=Spmg.GO),
        _menu("LSPG", Spmg, "SPMG that was acted on last.", READONLY, Spmg.GO),
        _short("STOP", "Come to rest; VAL follows."),
        _short("TWF", "Go forward by TWV."),
        _short("TWR", "Go back by TWV."),
        _short("JOGF", "Go forward while it is 1."),
        _short("JOGR", "Go back while it is 1."),
        _short("HOMF", "Look for home, forward."),
        _short("HOMR", "Look for home, backward."),
        _short("SYNC", "Make VAL what RBV is."),
        _short("SSET", "SET to Set."),
        _short("SUSE", "SET to Use."),
        _short("FOF", "FOFF to Frozen."),
        _short("VOF", "FOFF to Variable."),
        _menu("STUP", StatusUpdate, "ON asks the controller for its status."),
    )


def _states() -> tuple[Record, ...]:
    return (
        _short("DMOV", "Whether the motion is done.", READONLY, 1),
        _short("MOVN", "Whether the motor moves.", READONLY),
        _short("TDIR", "Way it goes, raw.", READONLY, 1),
        _short("CDIR", "Way it was told to go, raw.", READONLY, 1),
        _short("HLS", "High limit switch, user.", READONLY),
        _short("LLS", "Low limit switch, user.", READONLY),
        _short("RHLS", "High limit switch, raw.", READONLY),
        _short("RLLS", "Low limit switch, raw.", READONLY),
        _short("ATHM", "Whether it is at the home switch.", READONLY),
        _short("LVIO", "Whether the latest target, or a jog, was beyond the soft limits.", READONLY),
        _short("PP", "Whether something is left to do when it has come to rest.", READONLY),
        _long("MIP", "What is in progress, in bits.", READONLY),
        _double("MSTA", "Status of the controller in bits.", READONLY, 2.0),
        _double("MMAP", "Marks of the record; none between two looks.", READONLY),
        _double("NMAP", "Marks of the record; none between two looks.", READONLY),
    )


def _controller() -> tuple[Record, ...]:
    gain = "Gain of the controller, 0 to 1; the simulated one needs none."
    return (
        _menu("CNEN", DisableEnable, "Torque; without it nothing moves.", initial=DisableEnable.ENABLE),
        *(_double(name, gain) for name in ("PCOF", "ICOF", "DCOF")),
        _menu("RSTM", RestoreMode, "Kept; a position is not restored.", ECHOES, RestoreMode.NEAR_ZERO),
        _menu("LOCK", NoYesOfBase, "Kept; only soft channels know it.", ECHOES),
        _short("CARD", "Card; 0 for asyn.", READONLY),
        _link("OUT", "The controller", "@asyn(SOFTBEAM,0)"),
        *(_link(name, "An input") for name in ("DINP", "DOL", "RDBL", "RINP")),
        *(_link(name, "An output") for name in ("RLNK", "STOO")),
        *(
            string(name, "", "Kept; the simulated controller has no commands.", rbv=False)
            for name in ("INIT", "POST", "PREM")
        ),
        Record(name="VERS", kind=Kind.FLOAT, initial=VERSION, doc="Version of the record."),
    )
