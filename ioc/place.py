"""Where and how a program serves, from its beamline file and its command line, and what that opens to others.

Pure. Options are named as caproto's IOCs name theirs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ioc.access import Allow, Rule

ANY = ("0.0.0.0", "")  # noqa: S104 (only when it is asked for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how a program serves.

    Attributes:
        program: ``sim`` or ``writer``.
        prefix: Of all its PVs.
        interfaces: Addresses to bind.
        port: Of Channel Access.
        other_ports: Of our other programs.
        rules: Who may put what.
        put_log: Directory of the put log; none if nothing.
        autosave: Directory of the settings; they are not kept if nothing.
        children: Processes that should run beside this one.
    """

    program: str
    prefix: str
    interfaces: tuple[str, ...]
    port: int
    other_ports: tuple[int, ...] = ()
    rules: tuple[Rule, ...] = ()
    put_log: Path | None = None
    autosave: Path | None = None
    children: int = 0


class RuleTable(Protocol):
    """One of ``[[ca.rules]]``."""

    @property
    def pvs(self) -> tuple[str, ...]:
        """Patterns of names."""
        ...

    @property
    def users(self) -> tuple[str, ...]:
        """Patterns of users."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """Addresses, networks, names."""
        ...

    @property
    def allow(self) -> str:
        """``read`` or ``write``."""
        ...


class CaTable(Protocol):
    """What is needed of ``[ca]`` in a beamline file."""

    @property
    def interface(self) -> str:
        """Address to bind."""
        ...

    @property
    def rules(self) -> Sequence[RuleTable]:
        """Who may put."""
        ...

    @property
    def put_log(self) -> Path | None:
        """Directory of the put log."""
        ...

    @property
    def autosave(self) -> Path | None:
        """Directory of the settings."""
        ...


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every IOC of ours can be told."""
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--prefix", help="PV prefix other than the beamline file's")
    parser.add_argument(
        "--interfaces",
        nargs="+",
        metavar="ADDRESS",
        help="addresses to serve Channel Access on, other than the file's; 0.0.0.0 is all of them",
    )
    parser.add_argument("--put-log", type=Path, metavar="DIRECTORY", help="log every put there")
    parser.add_argument("--autosave", type=Path, metavar="DIRECTORY", help="keep settings there")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")


def place(
    ca: CaTable,
    options: argparse.Namespace,
    *,
    program: str,
    prefix: str,
    port: int,
    other_port: int,
    children: int,
) -> Place:
    """Where and how a program serves; the command line has the last word.

    Args:
        ca: Of the beamline file.
        options: Of ``add_options``.
        program: ``sim`` or ``writer``.
        prefix: Of all its PVs.
        port: Its own.
        other_port: Of the other one of the two.
        children: Processes that should run beside it.
    """
    return Place(
        program=program,
        prefix=prefix,
        interfaces=tuple(options.interfaces or [ca.interface]),
        port=port,
        other_ports=(other_port,),
        rules=rules(ca),
        put_log=options.put_log or ca.put_log,
        autosave=options.autosave or ca.autosave,
        children=children,
    )


def rules(ca: CaTable) -> tuple[Rule, ...]:
    """The access rules of a beamline file."""
    return tuple(Rule(pvs=r.pvs, users=r.users, hosts=r.hosts, allow=Allow(r.allow)) for r in ca.rules)


def local(interfaces: Sequence[str]) -> str:
    """Address at which a program on this machine finds a server on some interfaces."""
    for address in interfaces:
        if address in ANY or address.startswith("127."):
            return "127.0.0.1" if address in ANY else address
    return interfaces[0]


def exposed(interfaces: Sequence[str], what: str, number: int) -> str:
    """What is open to others where a program leaves loopback; empty on loopback.

    Args:
        interfaces: Addresses that are served.
        what: Anybody who reaches them can do.
        number: Access rules there are.
    """
    outside = [address for address in interfaces if not address.startswith("127.")]
    if not outside:
        return ""
    where = ", ".join("every interface" if address in ANY else address for address in outside)
    who = (
        f"access rules: {number}, and a user is who a client says it is"
        if number
        else "there are no access rules (ca.rules in the beamline file), so everybody may put"
    )
    return f"serving on {where}: whoever reaches it can {what}; {who}"
