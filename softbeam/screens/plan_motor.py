"""Plan of the motor record's screen: as motor screens are everywhere, user, dial and raw side by side."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Group, Heads, Line, Look, Page, Plan, cells

_FLAGS = ("DMOV", "MOVN", "ATHM", "CDIR", "TDIR")
_FAULTS = ("LVIO", "MISS", "HLS", "LLS", "RHLS", "RLLS")
_BUTTONS = ("STOP", "TWF", "TWR", "HOMF", "HOMR", "SYNC", "SSET", "SUSE", "FOF", "VOF")


def _light(record: str, text: str) -> Cell:
    return Cell(record, text=text)


MOTOR = Plan(
    file="motor",
    title="Motor",
    needs=frozenset({"VAL", "RBV", "DMOV"}),
    pages=(
        Page(
            title="Motor",
            columns=3,
            width=560,
            groups=(
                Group(
                    "Position",
                    (
                        Heads(("User", "Dial", "Raw")),
                        Line("High limit", cells("HLM", "DHLM", "RHLM")),
                        Line("Readback", cells("RBV", "DRBV", "RRBV")),
                        Line("Move to", cells("VAL", "DVAL", "RVAL")),
                        Line("Low limit", cells("LLM", "DLLM", "RLLM")),
                        Line("Way to go", cells("RLV", "DIFF", "RDIF")),
                        Line("Offset", cells("OFF", "DIR", "FOFF")),
                        Line("Calibrate", cells("SET", Cell("SSET", text="Set"), Cell("SUSE", text="Use"))),
                    ),
                ),
                Group(
                    "Move",
                    (
                        Line("", cells(Cell("STOP", text="STOP"), "SPMG", Cell("SYNC", text="Sync"))),
                        Line("Tweak", cells(Cell("TWR", text="<"), "TWV", Cell("TWF", text=">"))),
                        Line("Jog", cells(Cell("JOGR", text="<"), "JVEL", Cell("JOGF", text=">"))),
                        Line("Home", cells(Cell("HOMR", text="<"), "HVEL", Cell("HOMF", text=">"))),
                    ),
                ),
                Group(
                    "State",
                    (
                        Line(
                            "Motion",
                            cells(_light("DMOV", "Done"), _light("MOVN", "Moving"), _light("ATHM", "Home")),
                        ),
                        Line(
                            "Switches",
                            cells(_light("HLS", "High"), _light("LLS", "Low"), _light("TDIR", "To high")),
                        ),
                        Line("Target", cells(_light("LVIO", "Refused"), _light("MISS", "Missed"))),
                        Line("Alarm", cells("SEVR", "STAT")),
                        "MSTA",
                        "MIP",
                    ),
                ),
                Group("What it is", ("DESC", "NAME", "EGU", "PREC", "DTYP", "OUT", "VERS")),
                Group("Speed", ("VELO", "VBAS", "VMAX", "ACCL", "ACCS", "ACCU", "JAR")),
                Group("Backlash", ("BDST", "BVEL", "BACC", "FRAC")),
                Group("Retries", ("DLY", "RDBD", "SPDB", "RTRY", "RMOD", "RCNT")),
                Group("Steps", ("MRES", "ERES", "RRES", "SREV", "UREV", "UEIP", "URIP")),
            ),
        ),
        Page(
            title="Settings",
            suffix="_settings",
            groups=(
                Group("Revolutions", ("S", "SBAS", "SMAX", "SBAK")),
                Group("Offset", ("FOF", "VOF", "IGSET")),
                Group("Controller", ("CNEN", "?COF", "NTM*", "STUP", "RSTM", "CARD")),
                Group("Alarms", ("HIHI", "HHSV", "HIGH", "HSV", "LOW", "LSV", "LOLO", "LLSV", "HLSV")),
                Group("Displays and monitors", ("HOPR", "LOPR", "MDEL", "ADEL")),
                Group(
                    "Links", ("OMSL", "DOL", "DINP", "RDBL", "RINP", "RLNK", "STOO", "INIT", "PREM", "POST")
                ),
                Group("Latest values", ("LVAL", "LDVL", "LRVL", "LRLV", "ALST", "MLST", "LSPG")),
            ),
        ),
    ),
    labels={
        "VELO": "VELO, speed",
        "VBAS": "VBAS, least speed",
        "VMAX": "VMAX, greatest speed",
        "ACCL": "ACCL, time to speed",
        "ACCS": "ACCS, acceleration",
        "ACCU": "ACCU, what stays",
        "JAR": "JAR, of a jog",
        "BDST": "BDST, distance",
        "BVEL": "BVEL, speed",
        "BACC": "BACC, time to speed",
        "FRAC": "FRAC, of the way",
        "DLY": "DLY, time to settle",
        "RDBD": "RDBD, deadband",
        "SPDB": "SPDB, of the setpoint",
        "RTRY": "RTRY, at most",
        "RMOD": "RMOD, kind",
        "RCNT": "RCNT, so far",
        "MRES": "MRES, of the motor",
        "ERES": "ERES, of the encoder",
        "RRES": "RRES, of the link",
        "SREV": "SREV, a revolution",
        "UREV": "UREV, its length",
        "UEIP": "UEIP, encoder",
        "URIP": "URIP, link",
        "DESC": "DESC, description",
        "NAME": "NAME of the record",
        "EGU": "EGU, units",
        "PREC": "PREC, decimals",
        "DTYP": "DTYP, support",
        "OUT": "OUT, link",
        "VERS": "VERS of the record",
        "MSTA": "MSTA, status",
        "MIP": "MIP, in progress",
        "S": "S, speed",
        "SBAS": "SBAS, least speed",
        "SMAX": "SMAX, greatest speed",
        "SBAK": "SBAK, of backlash",
        "FOF": "FOF, offset fixed",
        "VOF": "VOF, offset follows",
        "IGSET": "IGSET, ignore SET",
        "CNEN": "CNEN, torque",
        "PCOF": "PCOF, proportional",
        "ICOF": "ICOF, integral",
        "DCOF": "DCOF, derivative",
        "NTM": "NTM, new target",
        "NTMF": "NTMF, its factor",
        "STUP": "STUP, ask for status",
        "RSTM": "RSTM, restore",
        "HIHI": "HIHI, alarm",
        "HIGH": "HIGH, warning",
        "LOW": "LOW, warning",
        "LOLO": "LOLO, alarm",
        "HHSV": "HHSV, severity",
        "HSV": "HSV, severity",
        "LSV": "LSV, severity",
        "LLSV": "LLSV, severity",
        "HLSV": "HLSV, of a switch",
        "HOPR": "HOPR, high end",
        "LOPR": "LOPR, low end",
        "MDEL": "MDEL, of monitors",
        "ADEL": "ADEL, of archives",
        "OMSL": "OMSL, mode",
        "DOL": "DOL, desired",
        "DINP": "DINP, done",
        "RDBL": "RDBL, readback",
        "RINP": "RINP, raw readback",
        "RLNK": "RLNK, readback out",
        "STOO": "STOO, stop out",
        "INIT": "INIT, at start",
        "PREM": "PREM, before a move",
        "POST": "POST, after a move",
    },
    looks={
        **dict.fromkeys(_FLAGS, Look.LIGHT),
        **dict.fromkeys(_FAULTS, Look.WARNING),
        **dict.fromkeys(_BUTTONS, Look.BUTTON),
        "JOGF": Look.HOLD,
        "JOGR": Look.HOLD,
        "MSTA": Look.BITS,
    },
    bits={
        "MSTA": (
            *("To higher", "Done", "High switch", "Home switch", "Unused", "Position loop", "Slip or stall"),
            *("At home", "Encoder there", "Problem", "Moving", "Has gain", "No communication", "Low switch"),
            "Homed",
        )
    },
    # The record gives EGU as the units of every field.
    bare=frozenset({"VERS", "FRAC", "RRES", "PCOF", "ICOF", "DCOF", "DLY"}),
    bare_counts=True,
    line=(
        Cell("RBV", "Readback"),
        Cell("VAL", "Move to"),
        Cell("DMOV", "Done", width=50),
        Cell("LVIO", "Limit", width=50),
        Cell("STOP", text="Stop", width=60),
    ),
)
