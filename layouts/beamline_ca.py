"""The table ``[ca]`` of the beamline file: where Channel Access is served, who may put, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from layouts.strict import Strict

Port = Annotated[int, Field(ge=1, le=65535)]


class AccessRule(Strict):
    """Who may put to some PVs; the first rule that fits decides, and a put that none fits is allowed."""

    pvs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Full names, with *, ? and [] as in a shell; a record without a field stands for all its fields."""
    users: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """User names, as clients say them, with * and its like."""
    hosts: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Where clients are: addresses, networks such as 192.0.2.0/24, host names, or * for anywhere."""
    allow: Literal["read", "write"] = "read"

    @field_validator("hosts")
    @classmethod
    def _whole_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if host != "*" and set(host) & set("*?[]"):
                raise ValueError(f"{host!r}: hosts have no patterns; a network such as 192.0.2.0/24 is right")
        return value


class ChannelAccess(Strict):
    """Ports of the two CA servers, who may do what there, and the writer's control socket."""

    sim_port: Port = 5164
    writer_port: Port = 5166
    interface: str = "127.0.0.1"
    control: str = "tcp://127.0.0.1:10004"
    """Where the coordinator binds and the workers connect."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of 127.0.0.1 where the writer serves /metrics (Prometheus) and /status.json; 0 is none."""
    rules: tuple[AccessRule, ...] = ()
    """Who may put; everybody unless given."""
    put_log: Path | None = None
    """Directory where every put is logged; they are not logged unless given."""
    autosave: Path | None = None
    """Directory where settings are kept over a restart; they are not kept unless given."""
