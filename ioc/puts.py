"""A client's put as a value, and who may put: what access rules, the put log and the server share.

Mirrors what EPICS' access security and its put-logging listeners see of a put (asLib, caPutLog).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from ioc.records import Value


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Attributes:
        user: As the client says.
        host: As the client says.
        address: IP address of its socket, which it cannot make up.
    """

    user: str = ""
    host: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a circuit knows of the request at hand and caproto does not hand on.

    Attributes:
        address: IP address of the client's socket.
    """

    address: str = ""


REQUEST: ContextVar[Request] = ContextVar("REQUEST", default=Request())  # noqa: B039 (frozen)
"""Set by the circuit before caproto is given a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One put; told when it is taken or refused, and a taken one again when what it began has ended.

    Attributes:
        number: Counts the puts of this process.
        pv: Full name.
        value: As the record understood it; as it was sent where it was refused.
        client: Who.
        at: Unix time of its arrival, s.
        waits: Whether the client waits for its completion.
        taken: Whether the record took it; a refused one has no end.
        error: Why it was refused, or has failed; empty while all is well.
        ended: Unix time of its end, s; nothing before.
    """

    number: int
    pv: str
    value: Value
    client: Client
    at: float
    waits: bool = False
    taken: bool = True
    error: str = ""
    ended: float | None = None


Gate = Callable[[str, Client], str]
"""Why a client may not put to a PV of this full name; empty if it may."""
OnPut = Callable[[Put], None]
"""Is told of every put: before its handler runs, and when it has ended."""


def open_to_all(_pv: str, _client: Client) -> str:
    """The gate of a server without rules."""
    return ""


def to_nobody(_put: Put) -> None:
    """Where nobody wants to know of puts."""
