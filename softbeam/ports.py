"""A beamline on ports that are free now, so that it disturbs no other one on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

from layouts.beamline import Beamline


def own_ports(beamline: Beamline) -> Beamline:
    """The same beamline with every socket on a free loopback port."""
    with ExitStack() as held:
        ports = _free_ports(held)
        detectors = tuple(
            d.model_copy(
                update={"stream": d.stream.model_copy(update={"endpoint": f"tcp://127.0.0.1:{next(ports)}"})}
            )
            for d in beamline.detectors
        )
        ca = beamline.ca.model_copy(
            update={
                "sim_port": next(ports),
                "writer_port": next(ports),
                "control": f"tcp://127.0.0.1:{next(ports)}",
                "metrics_port": next(ports) if beamline.ca.metrics_port else 0,
            }
        )
    return beamline.model_copy(update={"detectors": detectors, "ca": ca})


def _free_ports(held: ExitStack) -> Iterator[int]:
    """Free for TCP and UDP, as Channel Access needs; held until all are chosen, so that none comes twice."""
    while True:
        tcp = held.enter_context(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp = held.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        yield port
