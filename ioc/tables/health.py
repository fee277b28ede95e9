"""The health of one of our programs: devIocStats' records where they mean the same, and some more.

Names, types and formats that ``ioc.template`` of devIocStats has are those of it; what Python and several
processes bring with them has names beside it.
"""

from __future__ import annotations

from ioc.records import Record
from ioc.tables.build import said, shown


def health() -> tuple[Record, ...]:
    """Records of ``IOC:SIM:`` and ``IOC:WRITER:``."""
    return (*_life(), *_load(), *_clients(), *_identity())


def _life() -> tuple[Record, ...]:
    return (
        shown("HEARTBEAT", 0.0, "Counts seconds since the start.", precision=0),
        shown("STARTTOD", "", "Time and date of the start."),
        shown("TOD", "", "Time and date."),
        shown("UPTIME", "", "Time since the start."),
        shown("UPTIME_S", 0.0, "Time since the start as a number.", units="s", precision=0),
        shown("LOOP_LAG", 0.0, "How late the program's loop was at worst in the last second.", units="ms"),
    )


def _load() -> tuple[Record, ...]:
    return (
        shown("IOC_CPU_LOAD", 0.0, "CPU time, percent of one core.", units="%", precision=1),
        shown("TREE_CPU_LOAD", 0.0, "The same with emitters or workers.", units="%", precision=1),
        shown("CPU_CNT", 0.0, "Cores that the program may use.", precision=0),
        shown("MEM_USED", 0.0, "Resident memory.", units="byte", precision=0),
        shown("TREE_MEM_USED", 0.0, "The same with emitters or workers.", units="byte", precision=0),
        shown("FD_CNT", 0.0, "Open file descriptors.", precision=0),
        shown("FD_MAX", 0.0, "File descriptors that it may have.", precision=0),
        shown("FD_FREE", 0.0, "Those that are left.", precision=0),
        shown("THREAD_CNT", 0.0, "Threads.", precision=0),
        shown("CHILD_CNT", 0.0, "Emitters or workers that run; in alarm when one is missing.", precision=0),
    )


def _clients() -> tuple[Record, ...]:
    return (
        shown("CA_CLNT_CNT", 0.0, "Clients that are connected.", precision=0),
        shown("CA_CONN_CNT", 0.0, "Channels that they have.", precision=0),
        shown("RECORD_CNT", 0.0, "PVs that are served; fields of a motor are one each.", precision=0),
        shown("PUT_CNT", 0.0, "Puts of clients since the start.", precision=0),
        shown("REFUSED_CNT", 0.0, "Those that were refused or have failed.", precision=0),
        shown("ACCESS_RULES", 0, "Rules that puts must keep; 0: everybody may put."),
        said("PUT_LOG", "", "File that puts are logged in; empty if none."),
        said("AUTOSAVE", "", "What became of the settings; empty if they are not saved."),
    )


def _identity() -> tuple[Record, ...]:
    return (
        shown("HOSTNAME", "", "Computer."),
        shown("PROCESS_ID", 0.0, "Process.", precision=0),
        shown("PARENT_ID", 0.0, "Process that has started it.", precision=0),
        said("INTERFACES", "", "Where it serves: addresses and port."),
        said("APP_DIR", "", "Working directory.", length=160),
        shown("VERSION", "", "Version of softbeam."),
        shown("CAPROTO_VERS", "", "Version of caproto."),
        shown("PYTHON_VERS", "", "Version of Python."),
        shown("KERNEL_VERS", "", "Operating system."),
    )
