"""A client's put as a value, and who may put: what access rules, the put log and the server share.

Mirrors what EPICS' access security and its put-logging listeners see of a put (asLib, caPutLog).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ioc.records import Value


@dataclass(frozen=True, slots=True)
class Client:
    """Who puts, as Channel Access tells it: both are what the client says of itself."""

    user: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One put, when it has been taken or refused; its completion may come much later.

    Attributes:
        pv: Full name.
        value: As the record understood it; as it was sent where it was refused.
        client: Who.
        at: Unix time of its arrival, s.
        error: Why it was refused; empty if it was taken.
    """

    pv: str
    value: Value
    client: Client
    at: float
    error: str = ""


Gate = Callable[[str, Client], str]
"""Why a client may not put to a PV of this full name; empty if it may."""
OnPut = Callable[[Put], None]
"""Is told of every put."""


def open_to_all(_pv: str, _client: Client) -> str:
    """The gate of a server without rules."""
    return ""


def to_nobody(_put: Put) -> None:
    """Where nobody wants to know of puts."""
