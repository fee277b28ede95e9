"""NDStdArrays.template: the latest frame as a waveform, made small enough for Channel Access.

The real plugin hands on every pixel; this one adds neighbouring pixels up until the array fits.
"""

from __future__ import annotations

from typing import Final

from ioc.records import Kind, Record
from ioc.tables.build import shown
from ioc.tables.preview import preview

ELEMENTS: Final = 262144
"""Pixels of the image at most."""
INTERVAL: Final = 0.1
"""Seconds between two images, unless MinCallbackTime is set otherwise."""


def image(port: str = "IMAGE1", source: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's image.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    return preview(
        "NDPluginStdArrays",
        port,
        source,
        Record(
            name="ArrayData",
            kind=Kind.LONGS,
            length=ELEMENTS,
            doc="The image, fast axis first, ArraySize0_RBV times ArraySize1_RBV; -1 where all is masked.",
        ),
        shown("BinX_RBV", 1, "Pixels of the frame that a pixel of the image adds up along the fast axis."),
        shown("BinY_RBV", 1, "Pixels of the frame that a pixel of the image adds up along the slow axis."),
        interval=INTERVAL,
    )
