"""Access rules: who may put to which PVs. Everybody may read.

Mirrors what an EPICS access security file (ASG, UAG, HAG) is mostly used for, as with ``asCheckClientIP``:
the host is the address of the client's socket, which it cannot make up. The user is what the client says, as
always in Channel Access: rules keep people from mistakes, not attackers from motors.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from ioc.puts import Client, Gate

ANY = ("*",)


class Allow(StrEnum):
    """What a rule allows."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; the first that fits a put decides, and a put that none fits is allowed.

    Attributes:
        pvs: Patterns of full names, as a shell's; one without a field fits all fields of the record.
        users: Patterns of user names.
        hosts: Addresses, networks (192.0.2.0/24), host names, or ``*``.
        allow: What it allows.
    """

    pvs: tuple[str, ...]
    users: tuple[str, ...] = ANY
    hosts: tuple[str, ...] = ANY
    allow: Allow = Allow.READ


class AccessError(ValueError):
    """A rule that cannot be kept; says which, and what would be right."""


Resolve = Callable[[str], Iterable[str]]
_Networks = tuple[ipaddress.IPv4Network, ...]


def gate(rules: Iterable[Rule], resolve: Resolve | None = None) -> Gate:
    """The gate that keeps some rules.

    Args:
        rules: In their order.
        resolve: Addresses of a host name; asks the system unless given. Asked now, and not again.

    Raises:
        AccessError: A host has no address: a rule that fits nobody would leave its PVs open.
    """
    known = [(rule, _networks(rule.hosts, resolve or _addresses)) for rule in rules]

    def refusal(pv: str, client: Client) -> str:
        for number, (rule, networks) in enumerate(known, 1):
            if fits(rule, pv) and _asks(rule, networks, client):
                if rule.allow is Allow.WRITE:
                    return ""
                who = f"{client.user} at {client.address or client.host}"
                return f"{pv} may not be put by {who}: rule {number} of ca.rules allows to read"
        return ""

    return refusal


def fits(rule: Rule, pv: str) -> bool:
    """Whether a rule is about a PV."""
    record = pv.rpartition(".")[0]
    names = (pv, record) if record else (pv,)
    return any(fnmatchcase(name, pattern) for pattern in rule.pvs for name in names)


def _asks(rule: Rule, networks: _Networks | None, client: Client) -> bool:
    """Whether a rule is about a client."""
    known = any(fnmatchcase(client.user or "", pattern) for pattern in rule.users)
    return known and (networks is None or _within(client.address, networks))


def _within(address: str, networks: _Networks) -> bool:
    if not address:
        return False
    at = ipaddress.IPv4Address(address)
    return any(at in network for network in networks)


def _networks(hosts: Iterable[str], resolve: Resolve) -> _Networks | None:
    """Networks of some hosts; nothing where any host will do."""
    found: list[ipaddress.IPv4Network] = []
    for host in hosts:
        if host == "*":
            return None
        try:
            found.append(ipaddress.IPv4Network(host, strict=False))
        except ValueError:
            found += [ipaddress.IPv4Network(address) for address in _resolved(host, resolve)]
    return tuple(found)


def _resolved(host: str, resolve: Resolve) -> list[str]:
    try:
        addresses = list(resolve(host))
    except OSError as error:
        raise AccessError(
            f"ca.rules: host {host!r} has no address ({error}); an address such as 192.0.2.10, a network "
            "such as 192.0.2.0/24, a known host name or * is right"
        ) from None
    return addresses


def _addresses(host: str) -> list[str]:
    return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, socket.AF_INET)})
