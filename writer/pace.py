"""How long the worker is busy with a frame, on average between two reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Work done since the latest report."""

    _busy: int = 0
    _frames: int = 0
    _latest: float = 0.0

    def worked(self, nanoseconds: int) -> None:
        """The worker was busy for a time."""
        self._busy += nanoseconds

    def per_frame(self, frames: int) -> float:
        """Milliseconds a frame since the call before; as before if none has come.

        Args:
            frames: Received in all.
        """
        new = frames - self._frames
        if new > 0:
            self._latest = self._busy * 1e-6 / new
        self._busy, self._frames = 0, frames
        return self._latest
