"""Plan of what an IOC says of itself; names as devIocStats has them."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Plan

HEALTH = Plan(
    file="health",
    title="Program",
    needs=frozenset({"HEARTBEAT"}),
    pages=(),
    line=(
        Cell("HEARTBEAT", "Heartbeat", width=90),
        Cell("UPTIME", "Up for"),
        Cell("CPU", "CPU", width=80),
        Cell("MEM", "Memory", width=90),
        Cell("CLIENTS|CA_CLNT_CNT", "Clients", width=70),
    ),
)
