"""Puts of every kind to one record of each type, for a real softIoc and for our server alike."""

import math
import struct

from ioc.records import Kind, PvClass, Record

DATABASE = """
record(ao, "R:ao") { field(VAL, "1.5") field(PREC, "3") field(PINI, "YES") }
record(ao, "R:aolim") { field(VAL, "1.5") field(DRVH, "10") field(HOPR, "10") field(PINI, "YES") }
record(ai, "R:ai") { field(VAL, "1.25") field(PREC, "4") field(EGU, "mm") field(PINI, "YES") }
record(longout, "R:long") { field(VAL, "3") field(PINI, "YES") }
record(longout, "R:longlim") { field(VAL, "3") field(DRVH, "10") field(HOPR, "10") field(PINI, "YES") }
record(bo, "R:bo") { field(ZNAM, "Done") field(ONAM, "Acquire") field(PINI, "YES") }
record(mbbo, "R:mbbo") {
    field(ZRST, "Single") field(ONST, "Multiple") field(TWST, "Continuous") field(PINI, "YES")
}
record(stringout, "R:string") { field(VAL, "abc") field(PINI, "YES") }
record(waveform, "R:char") { field(FTVL, "CHAR") field(NELM, "16") }
record(waveform, "R:dbl") { field(FTVL, "DOUBLE") field(NELM, "4") }
record(waveform, "R:lng") { field(FTVL, "LONG") field(NELM, "4") }
"""
ECHO = PvClass.ECHOES
RECORDS = (
    Record(name="ao", kind=Kind.DOUBLE, initial=1.5, precision=3, pv_class=ECHO),
    Record(name="aolim", kind=Kind.DOUBLE, initial=1.5, precision=0, low=0, high=10, pv_class=ECHO),
    Record(name="long", kind=Kind.LONG, initial=3, pv_class=ECHO),
    Record(name="longlim", kind=Kind.LONG, initial=3, low=0, high=10, pv_class=ECHO),
    Record(name="bo", kind=Kind.ENUM, rtype="bo", menu=("Done", "Acquire"), pv_class=ECHO),
    Record(name="mbbo", kind=Kind.ENUM, menu=("Single", "Multiple", "Continuous"), pv_class=ECHO),
    Record(name="string", kind=Kind.STRING, initial="abc", pv_class=ECHO),
    Record(name="char", kind=Kind.TEXT, length=16, pv_class=ECHO),
    Record(name="dbl", kind=Kind.DOUBLES, length=4, precision=0, initial=[], pv_class=ECHO),
    Record(name="lng", kind=Kind.LONGS, length=4, initial=[], pv_class=ECHO),
    Record(name="ai", kind=Kind.DOUBLE, initial=1.25, units="mm"),
)

RawPut = tuple[int, int, bytes]
"""DBR type, element count, payload."""


def strings(*texts: str | bytes) -> RawPut:
    fields = (text.encode() if isinstance(text, str) else text for text in texts)
    return 0, len(texts), b"".join(field[:40].ljust(40, b"\0") for field in fields)


def shorts(*values: int) -> RawPut:
    return 1, len(values), struct.pack(f">{len(values)}h", *values)


def floats(*values: float) -> RawPut:
    return 2, len(values), struct.pack(f">{len(values)}f", *values)


def enums(*values: int) -> RawPut:
    return 3, len(values), struct.pack(f">{len(values)}H", *values)


def chars(data: bytes) -> RawPut:
    return 4, len(data), data


def longs(*values: int) -> RawPut:
    return 5, len(values), struct.pack(f">{len(values)}i", *values)


def doubles(*values: float) -> RawPut:
    return 6, len(values), struct.pack(f">{len(values)}d", *values)


_TEXTS = (
    *("7", " 7 ", "7.9", "abc", "", "7abc", "nan", "inf", "-inf", "1e300", "0x10", "1e3", "  ", "+5"),
    *("-7x", "1.5.2", ".5", "99999999999", "1e999"),
)
_NUMBERS = {
    **{f"double {v:g}": doubles(v) for v in (7.9, -5, 50, 1e300, 3e9, -3e9, 5e9)},
    **{f"double {v}": doubles(v) for v in (math.nan, math.inf, -math.inf)},
    **{f"text {text!r}": strings(text) for text in _TEXTS},
    "float 50": floats(50),
    "long 50": longs(50),
    "long -5": longs(-5),
    "greatest long": longs(2**31 - 1),
    "short -5": shorts(-5),
    "enum 5": enums(5),
    "char 7": chars(b"\7"),
    "char 255": chars(b"\xff"),
    "chars '123'": chars(b"123\0"),
    "two doubles": doubles(1, 2),
    "no double": doubles(),
    "no text": strings(),
    "time double": (20, 1, bytes(16) + struct.pack(">d", 4.0)),
    "short of a double": (6, 2, struct.pack(">d", 4.0)),
}
_MENUS = {
    **{f"enum {v}": enums(v) for v in (0, 1, 2, 3, 15, 16, 65535)},
    **{f"short {v}": shorts(v) for v in (-1, 2)},
    **{f"long {v}": longs(v) for v in (2, 5, 70000)},
    **{f"double {v}": doubles(v) for v in (1.9, 5, -1, math.nan, math.inf, 1e300)},
    **{
        f"text {text!r}": strings(text)
        for text in (
            *("Done", "Single", "Multiple", " Single", "SINGLE", "Sometimes", "1", "2", "3", "16", ""),
            *(" 1 ", "-1", "+1", "1.0", "1x", "0x1"),
        )
    },
    "char 1": chars(b"\1"),
    "chars '1'": chars(b"1\0"),
    "no enum": enums(),
}
_STRINGS = {
    **{f"text of {n}": strings("x" * n) for n in (0, 5, 39, 40)},
    **{f"double {v}": doubles(v) for v in (1.5, 1e300, math.nan, 2.5e-7, -12345678.9, 1e15, 0.1234567)},
    "binary": strings(b"\xff\xfe\x01"),
    "two doubles": doubles(1, 2),
    "two texts": strings("a", "b"),
    "no text": strings(),
    "float 1.5": floats(1.5),
    "long 7": longs(7),
    "short -3": shorts(-3),
    "enum 1": enums(1),
    "char 'A'": chars(b"A"),
    "chars 'hello'": chars(b"hello\0"),
}
_ARRAYS = {
    "as long as it goes": doubles(1, 2, 3, 4),
    "too long": doubles(1, 2, 3, 4, 5, 6),
    "one": doubles(9),
    "none": doubles(),
    "nan and inf": doubles(math.nan, math.inf),
    "great": doubles(1e300, -1e300),
    "double -1": doubles(-1),
    "double 300": doubles(300),
    "double 65.7": doubles(65.7),
    "longs": longs(1, 2),
    "short -1": shorts(-1),
    "enum 1": enums(1),
    "text '7'": strings("7"),
    "text '7x'": strings("7x"),
    "text '300'": strings("300"),
    "text '-1'": strings("-1"),
    "text '7.9'": strings("7.9"),
    "two texts": strings("1", "2"),
    "text 'hello'": strings("hello"),
    "text ''": strings(""),
    "number and text": strings("1", "abc"),
    "chars 'hello'": chars(b"hello"),
    "no char": chars(b""),
    "nul": chars(b"\0"),
    "binary": chars(bytes(range(240, 256))),
    "41 chars": chars(b"z" * 41),
    "10 MB": chars(b"q" * 10_000_000),
}
CASES: dict[str, dict[str, RawPut]] = {
    **dict.fromkeys(("ao", "aolim", "long", "longlim"), _NUMBERS),
    **dict.fromkeys(("bo", "mbbo"), _MENUS),
    "string": _STRINGS,
    **dict.fromkeys(("char", "dbl", "lng"), _ARRAYS),
}
RESET: dict[str, RawPut] = {
    **dict.fromkeys(("ao", "aolim"), doubles(1.5)),
    **dict.fromkeys(("long", "longlim"), longs(3)),
    **dict.fromkeys(("bo", "mbbo"), enums(0)),
    "string": strings("abc"),
    "char": chars(b"old"),
    **dict.fromkeys(("dbl", "lng"), doubles(8, 8)),
}

_OFF_MENU = "an index that is not on the menu is refused and seen by the alarm: nothing stands for it"
_BINARY = "bytes that are no text are refused and seen by the alarm: paths and names go into files"
_HALF = "an array of texts is taken whole or not at all; EPICS keeps what it has converted so far"
_NUL = "a text ends at its NUL, and one that is empty is read as one NUL: libca shows no array of no elements"
DIFFERENCES: dict[tuple[str, str], str] = {
    **{("bo", case): _OFF_MENU for case in ("enum 2", "enum 3", "enum 15", "enum 16", "enum 65535")},
    **{("bo", case): _OFF_MENU for case in ("short -1", "short 2", "long 2", "long 5", "long 70000")},
    **{("bo", case): _OFF_MENU for case in ("double 5", "double -1", "chars '1'")},
    **{("mbbo", case): _OFF_MENU for case in ("enum 3", "enum 15", "enum 16", "enum 65535")},
    **{("mbbo", case): _OFF_MENU for case in ("short -1", "long 5", "long 70000", "chars '1'")},
    **{("mbbo", case): _OFF_MENU for case in ("double 5", "double -1", "text ''")},
    ("string", "binary"): _BINARY,
    ("char", "binary"): _BINARY,
    **{("char", case): _BINARY for case in ("short -1", "double -1", "text '-1'")},
    **{(pv, "number and text"): _HALF for pv in ("char", "dbl", "lng")},
    **{("char", case): _NUL for case in ("none", "no char", "nan and inf", "great")},
}
"""Where ours is meant to differ, and why."""
REFUSED = [
    key for key, why in DIFFERENCES.items() if why in (_OFF_MENU, _BINARY) and key != ("mbbo", "text ''")
]
"""Those that fail here, leave the value, and are seen by the alarm."""
