"""Plan of what an IOC says of itself; names as devIocStats has them."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Group, Page, Plan

HEALTH = Plan(
    file="health",
    title="Program",
    needs=frozenset({"HEARTBEAT"}),
    pages=(
        Page(
            title="Program",
            groups=(
                Group("Life", ("HEARTBEAT", "STARTTOD", "TOD", "UPTIME", "UPTIME_S", "LOOP_LAG")),
                Group(
                    "Load",
                    (
                        "*CPU_LOAD",
                        "CPU_CNT",
                        "*MEM_USED",
                        "FD_CNT",
                        "FD_MAX",
                        "FD_FREE",
                        "THREAD_CNT",
                        "CHILD_CNT",
                    ),
                ),
                Group(
                    "Clients",
                    ("CA_C*", "RECORD_CNT", "PUT_CNT", "REFUSED_CNT", "ACCESS_RULES", "PUT_LOG", "AUTOSAVE"),
                ),
                Group("What it is", ("HOSTNAME", "*_ID", "INTERFACES", "APP_DIR", "*VERS*")),
            ),
        ),
    ),
    labels={
        "HEARTBEAT": "Heartbeat",
        "STARTTOD": "Started",
        "TOD": "Time of day",
        "UPTIME": "Up for",
        "UPTIME_S": "Up for, seconds",
        "LOOP_LAG": "Loop lag",
        "IOC_CPU_LOAD": "CPU",
        "TREE_CPU_LOAD": "CPU with children",
        "CPU_CNT": "Cores",
        "MEM_USED": "Memory",
        "TREE_MEM_USED": "Memory with children",
        "FD_CNT": "File descriptors",
        "FD_MAX": "At most",
        "FD_FREE": "Free",
        "THREAD_CNT": "Threads",
        "CHILD_CNT": "Children",
        "CA_CLNT_CNT": "Clients",
        "CA_CONN_CNT": "Channels",
        "RECORD_CNT": "PVs",
        "PUT_CNT": "Puts",
        "REFUSED_CNT": "Puts refused",
        "ACCESS_RULES": "Access rules",
        "PUT_LOG": "Put log",
        "AUTOSAVE": "Autosave",
        "HOSTNAME": "Computer",
        "PROCESS_ID": "Process",
        "PARENT_ID": "Started by",
        "INTERFACES": "Interfaces",
        "APP_DIR": "Directory",
        "VERSION": "Version",
        "CAPROTO_VERS": "caproto",
        "PYTHON_VERS": "Python",
        "KERNEL_VERS": "Operating system",
    },
    line=(
        Cell("HEARTBEAT", "Heartbeat", width=90),
        Cell("UPTIME", "Up for"),
        Cell("TREE_CPU_LOAD", "CPU, %", width=80),
        Cell("CHILD_CNT", "Children", width=70),
        Cell("CA_CLNT_CNT", "Clients", width=70),
    ),
)
