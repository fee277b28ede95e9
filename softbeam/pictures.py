"""Pictures of a master: one frame and the sum of all, for each detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softbeam.frames_h5 import read_pictures


def draw(master: Path, directory: Path) -> list[Path]:
    """Draw what a master holds; counts run with their square root, and spots are drawn 3 x 3 pixels large.

    Args:
        master: An NXmx master.
        directory: Where the PNG files go.

    Returns:
        The files, one for each entry.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    written: list[Path] = []
    for pictures in read_pictures(master):
        shown = [
            (f"frame {pictures.index} of {pictures.frames}", pictures.one),
            (f"sum of {pictures.frames} frames", pictures.summed),
        ]
        figure, axes = plt.subplots(1, 2, figsize=(13, 6.6), layout="constrained")
        for axis, (title, image) in zip(axes, shown, strict=True):
            low, high = _range(image)
            palette = mpl.colormaps["inferno"].with_extremes(bad="#4a6b8a")
            drawn = axis.imshow(
                np.sqrt(_grown(image)), cmap=palette, vmin=low**0.5, vmax=high**0.5, interpolation="nearest"
            )
            axis.set_title(title)
            axis.set_xlabel("fast pixel")
            axis.set_ylabel("slow pixel")
            bar = figure.colorbar(drawn, ax=axis, shrink=0.8, label="counts")
            ticks = np.linspace(low**0.5, high**0.5, 5)
            bar.set_ticks(list(ticks), labels=[f"{t * t:.0f}" for t in ticks])
        figure.suptitle(f"{master.name} /{pictures.entry}")
        path = directory / f"{master.stem}_{pictures.entry}.png"
        figure.savefig(path, dpi=80)
        plt.close(figure)
        written.append(path)
    return written


def _grown(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """Each pixel the largest of 3 x 3, so that a spot of one pixel survives on a screen."""
    wide = np.fmax(np.fmax(image[:, :-2], image[:, 1:-1]), image[:, 2:])
    return np.fmax(np.fmax(wide[:-2], wide[1:-1]), wide[2:])


def _range(image: NDArray[np.floating]) -> tuple[float, float]:
    """Counts to draw from and to: the background, and what all but the brightest pixels reach."""
    counted = image[np.isfinite(image)]
    if counted.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(counted, [1, 99.9])
    return float(low), float(max(high, low + 1))
