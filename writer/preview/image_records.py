"""The image plugin's records: the latest frame as a waveform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from writer.preview.messages import Computed
from writer.preview.plugin import PluginRecords


class ImageRecords(PluginRecords):
    """A detector's image."""

    async def own(self, head: Computed, arrays: Mapping[str, NDArray[Any]], /) -> None:
        """Show the image of a frame."""
        values = {f"{name}_RBV": value for name, value in head.values.items()}
        await self.give(values | {"ArrayData": arrays["ArrayData"].ravel()}, head.arrival)
