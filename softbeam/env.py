"""``softbeam env``: what a client needs in its environment, as lines for a shell."""

from __future__ import annotations

from ioc.place import local
from layouts.beamline import Beamline


def exports(beamline: Beamline) -> dict[str, str]:
    """Environment variables of an EPICS client and of an HDF5 reader of this beamline."""
    from layouts.filters_h5 import FOLDER

    ca = beamline.ca
    host = local([ca.interface])
    return {
        "EPICS_CA_ADDR_LIST": f"{host}:{ca.sim_port} {host}:{ca.writer_port}",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_MAX_ARRAY_BYTES": "10000000",
        "HDF5_PLUGIN_PATH": FOLDER,
    }


def phoebus(beamline: Beamline) -> dict[str, str]:
    """Settings of Phoebus for this beamline."""
    return {
        "org.phoebus.pv.ca/addr_list": exports(beamline)["EPICS_CA_ADDR_LIST"],
        "org.phoebus.pv.ca/auto_addr_list": "false",
    }


def lines(beamline: Beamline) -> list[str]:
    """What ``softbeam env`` prints: exports, then what other clients need, as comments."""
    return [
        '# In a shell: eval "$(softbeam env)"',
        *(f"export {name}='{value}'" for name, value in exports(beamline).items()),
        "# Phoebus, in its settings file:",
        *(f"#   {name}={value}" for name, value in phoebus(beamline).items()),
        "# A file that is still being written, in Python:",
        "#   import hdf5plugin, h5py; file = h5py.File(path, 'r', swmr=True)",
        "#   frames = file['/entry/data/data']; frames.refresh()  # one handle, and never .id.refresh()",
        *_metrics(beamline.ca.metrics_port),
        "# Channel Access only: there is no PVAccess server.",
    ]


def _metrics(port: int) -> list[str]:
    """Where the writer serves what it counts, if it does."""
    if not port:
        return []
    at = f"http://127.0.0.1:{port}"
    return ["# What the writer counts, for Prometheus and as JSON:", f"#   {at}/metrics {at}/status.json"]
