"""How captures are opened: with raw files of this process, or with those of several storers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from layouts.beamline_pack import Pack
from writer import control
from writer.latest import Recent
from writer.open_capture import OpenCapture
from writer.packed_capture import PackedCapture
from writer.reports import StorerReport
from writer.striped_capture import StripedCapture
from writer.stripes.storers import Storers
from writer.stripes.stripes import BUDGET, Stripes
from writer.write_errors import WriteError

_PATIENCE: Final = 8.0
"""Seconds that a capture waits for storers that are being started."""


class Opening:
    """Opens captures, once the storers are there.

    Args:
        storers: Of the detector; None where its worker writes by itself.
        budget: Bytes that may be on their way to them.
    """

    def __init__(self, storers: Storers | None = None, budget: int = BUDGET) -> None:
        self._storers = storers
        self._budget = budget
        self._stripes: Stripes | None = None
        """Of the latest capture."""
        self.waiting: control.Capture | None = None
        """What waits for storers."""
        self._since = 0.0

    def complaint(self, *, capturing: bool) -> str:
        """What is wrong with the storers, or with what they store of an open capture; empty if nothing."""
        wound = self._stripes.wound if capturing and self._stripes is not None else ""
        if wound:
            return f"{wound}: frames of its stripe are not stored until the next capture"
        return "" if self._storers is None else self._storers.complaint

    @property
    def storers(self) -> tuple[StorerReport, ...]:
        """How the storers do while no capture is known that they work for."""
        if self._storers is None:
            return ()
        return tuple(
            StorerReport(rank=rank, alive=self._storers.is_well(rank)) for rank in range(len(self._storers))
        )

    def is_ready(self, order: control.Capture, now: float) -> bool:
        """Whether a capture can be opened; if not, it waits."""
        if self._storers is None or self._storers.is_ready:
            return True
        self.waiting, self._since = order, now
        return False

    def due(self, now: float) -> control.Capture | None:
        """What has waited long enough: the storers are there, or nobody waits for them any longer."""
        order = self.waiting
        if order is None or self._storers is None:
            return None
        if not self._storers.is_ready and now - self._since < _PATIENCE:
            return None
        return self.leave()

    def leave(self) -> control.Capture | None:
        """Let what waits wait no longer."""
        order, self.waiting = self.waiting, None
        return order

    def open(
        self, order: control.Capture, now: float, emit: Callable[[control.Event], None], recent: Recent
    ) -> OpenCapture:
        """Open a capture.

        Raises:
            WriteError: A file cannot be made, or a storer is not there.
        """
        if self._storers is None:
            made = OpenCapture if order.keeping.pack is Pack.NONE else PackedCapture
            return made(order, now, emit, recent)
        if order.keeping.pack is not Pack.NONE:
            why = f"pack {order.keeping.pack} needs one worker, and there are {len(self._storers)}"
            raise WriteError(0, f"{why}; start the worker without --workers, or set pack to none")
        self._stripes = Stripes(self._storers, order, budget=self._budget)
        return StripedCapture(order, now, emit, recent, self._stripes)
