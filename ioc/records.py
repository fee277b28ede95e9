"""Records as data: what one PV is, before any server knows of it.

A table of these (ioc/tables) is the whole description of a device: the server makes channels of it, the
documentation and the screens are made from it, and the tests walk it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

STRING_SIZE = 40
"""Bytes of a DBR_STRING, the last of them NUL."""

Value = float | int | str | list[float] | list[int]
"""What a PV holds in Python: menus are their string, texts are str, arrays are lists."""

Menu = type[StrEnum] | tuple[str, ...]

_INPUTS = {"bo": "bi", "busy": "bi", "mbbo": "mbbi"}
"""Record types of the readbacks of menus; those of other kinds follow from the kind."""


class Kind(Enum):
    """The type of a PV on the wire."""

    DOUBLE = "double"
    FLOAT = "float"
    LONG = "long"
    SHORT = "short"
    CHAR = "char"
    """One unsigned byte."""
    ENUM = "enum"
    STRING = "string"
    """DBR_STRING of 40 bytes."""
    TEXT = "text"
    """CHAR array: the long strings of areaDetector."""
    DOUBLES = "double array"
    LONGS = "long array"


class PvClass(StrEnum):
    """What becomes of a put."""

    ACTS = "acts"
    """A handler decides, and posts the readback."""
    ECHOES = "echoes"
    """The value is kept and the readback follows at once."""
    READONLY = "read-only"
    """Clients may not put."""


class Severity(IntEnum):
    """Alarm severities of EPICS."""

    NONE = 0
    MINOR = 1
    MAJOR = 2
    INVALID = 3


class Status(IntEnum):
    """The alarm states of EPICS that are used here."""

    NO_ALARM = 0
    READ = 1
    WRITE = 2
    HIGH = 4
    LOW = 6
    STATE = 7
    COMM = 9
    TIMEOUT = 10
    HW_LIMIT = 11
    LINK = 14
    UDF = 17
    DISABLE = 18


class PutError(Exception):
    """A put that cannot be used: the client is told so, and the value stays as it was.

    The message says what is wrong and what would be right. The record shows it by its alarm.
    """


class ConversionError(PutError):
    """What was put is no value of the record's type; as in EPICS, nothing happens to the record."""


class AccessDeniedError(PutError):
    """The client may not put to this record, or nobody may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One PV, or a pair of a setpoint and its readback.

    Attributes:
        name: Name behind the device's prefix.
        kind: Type on the wire.
        initial: Value at boot; the empty value of its kind unless given.
        menu: Choices of an ENUM, in the order of the record.
        length: Elements of an array, or bytes of a TEXT with its NUL.
        units: Engineering units.
        precision: Decimals that displays show.
        low: Least value; with ``high``, both 0 means no limits.
        high: Greatest value.
        clamp: Whether a put beyond the limits is brought to the limit, as ao and longout do;
            otherwise the handler decides.
        pv_class: What becomes of a put.
        readback: Whether ``NAME_RBV`` is served too.
        readback_menu: Choices of the readback where they differ.
        rtype: Record type that CA clients are told.
        disabled: Whether the record is switched off, as its DISA field says: it does not apply to the device.
        doc: One sentence for the reference.
    """

    name: str
    kind: Kind
    initial: Value | None = None
    menu: Menu | None = None
    length: int = 1
    units: str = ""
    precision: int = 4
    low: float = 0.0
    high: float = 0.0
    clamp: bool = True
    pv_class: PvClass = PvClass.READONLY
    readback: bool = False
    readback_menu: Menu | None = None
    rtype: str = ""
    disabled: bool = False
    doc: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """Strings of the menu, in order; empty for other kinds."""
        return tuple(self.menu or ())

    @property
    def default(self) -> Value:
        """The value at boot."""
        if self.initial is not None:
            return self.initial
        if self.kind is Kind.ENUM:
            return self.choices[0]
        empty: dict[Kind, Value] = {
            Kind.DOUBLE: 0.0,
            Kind.FLOAT: 0.0,
            Kind.STRING: "",
            Kind.TEXT: "",
            Kind.DOUBLES: [0.0],
            Kind.LONGS: [0],
        }
        return empty.get(self.kind, 0)

    @property
    def writable(self) -> bool:
        """Whether clients may put."""
        return self.pv_class is not PvClass.READONLY

    @property
    def limited(self) -> bool:
        """Whether the record has limits."""
        return (self.low, self.high) != (0.0, 0.0)


def expand(records: Iterable[Record]) -> dict[str, Record]:
    """Every PV of a table by its name, setpoints and readbacks each an entry.

    Raises:
        ValueError: Two records have the same name, or a menu is missing or too long.
    """
    table: dict[str, Record] = {}
    for record in records:
        _check(record)
        pair = (record, readback_of(record)) if record.readback else (record,)
        for one in pair:
            if one.name in table:
                raise ValueError(f"two records are named {one.name!r}; a name is right once")
            table[one.name] = one
    return table


def readback_of(record: Record) -> Record:
    """The read-only partner of a setpoint."""
    menu = record.readback_menu or record.menu
    initial = record.initial
    if menu is not record.menu and initial is not None:
        initial = tuple(menu or ())[record.choices.index(str(initial))]
    return Record(
        name=f"{record.name}_RBV",
        kind=record.kind,
        initial=initial,
        menu=menu,
        length=record.length,
        units=record.units,
        precision=record.precision,
        low=record.low,
        high=record.high,
        rtype=_INPUTS.get(record.rtype, ""),
        disabled=record.disabled,
        doc=f"Readback of {record.name}.",
    )


def _check(record: Record) -> None:
    if (record.kind is Kind.ENUM) != (record.menu is not None):
        raise ValueError(f"record {record.name!r}: a menu is right for ENUM, and only there")
    if len(record.choices) > 16 or any(len(choice) > 25 for choice in record.choices):
        raise ValueError(f"record {record.name!r}: a menu has at most 16 choices of at most 25 characters")
    if record.kind is Kind.TEXT and record.length < 2:
        raise ValueError(f"record {record.name!r}: a text needs its length in bytes, NUL included")
