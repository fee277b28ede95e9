"""How one detector's capture is shown to clients: every set of records that speaks of it hears the same.

areaDetector's ``HDF1:`` is one such set, Odin's ``OD:`` another; which of them a client asked does not matter
to what they show.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from writer import control
from writer.orders import Wish


class Asker(Protocol):
    """Records through which a client can ask for a capture."""

    async def request(self) -> Wish:
        """What the records ask for.

        Raises:
            RefusedError: They ask for something that cannot be done.
        """
        ...


class View(Protocol):
    """Records that show a detector's capture; every method is called for every capture of the detector."""

    async def boot(self, directory: Path, shape: tuple[int, int], dtype: str) -> None:
        """Values before the first client comes."""
        ...

    async def accept(self, full_name: Path, *, count: bool) -> None:
        """A capture has been accepted: names and counters, before any frame."""
        ...

    async def show_error(self, message: str) -> None:
        """An error of writing, with its reason."""
        ...

    async def show_format(self, shape: tuple[int, int], dtype: str) -> None:
        """Size (slow, fast) and type of the frames to come."""
        ...

    async def show_open(self) -> None:
        """The worker is live, its files open."""
        ...

    async def show_counters(self, counters: control.Counters, captured: int) -> None:
        """Where the capture is."""
        ...

    async def show_status(self, status: control.Status) -> None:
        """What only a worker's Status says."""
        ...

    async def show_worker(self, *, there: bool) -> None:
        """Whether the worker is there."""
        ...

    async def show_end(self, error: str, master: str, duration: float, stored_bytes: int) -> None:
        """The capture is over."""
        ...


class Views:
    """All the records that show one detector, spoken to as one.

    Args:
        views: In the order in which they are told.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = tuple(views)

    async def boot(self, directory: Path, shape: tuple[int, int], dtype: str) -> None:
        """Values before the first client comes."""
        for view in self._views:
            await view.boot(directory, shape, dtype)

    async def accept(self, full_name: Path, *, count: bool) -> None:
        """A capture has been accepted."""
        for view in self._views:
            await view.accept(full_name, count=count)

    async def show_error(self, message: str) -> None:
        """An error of writing."""
        for view in self._views:
            await view.show_error(message)

    async def show_format(self, shape: tuple[int, int], dtype: str) -> None:
        """Size and type of the frames to come."""
        for view in self._views:
            await view.show_format(shape, dtype)

    async def show_open(self) -> None:
        """The worker is live, its files open."""
        for view in self._views:
            await view.show_open()

    async def show_counters(self, counters: control.Counters, captured: int) -> None:
        """Where the capture is."""
        for view in self._views:
            await view.show_counters(counters, captured)

    async def show_status(self, status: control.Status) -> None:
        """What only a worker's Status says."""
        for view in self._views:
            await view.show_status(status)

    async def show_worker(self, *, there: bool) -> None:
        """Whether the worker is there."""
        for view in self._views:
            await view.show_worker(there=there)

    async def show_end(self, error: str, master: str, duration: float, stored_bytes: int) -> None:
        """The capture is over."""
        for view in self._views:
            await view.show_end(error, master, duration, stored_bytes)
