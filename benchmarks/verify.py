"""Every byte of a benchmark's file compared with what was sent, in the same run as the figures."""

from __future__ import annotations

from pathlib import Path

import h5py

from benchmarks.pool import Pool
from layouts.raw.names import DATA


def wrong_frame(path: Path, pool: Pool, frames: int) -> str:
    """What is wrong with a raw file; empty if every frame of the pool is where it should be."""
    with h5py.File(path, "r") as file:
        data = file[DATA]
        if not isinstance(data, h5py.Dataset) or data.shape[0] != frames:
            return f"{path.name} has not {frames} frames"
        for i in range(frames):
            if data.id.read_direct_chunk((i, 0, 0))[1] != pool.blobs[i % len(pool.blobs)]:
                return f"frame {i} of {path.name} is not what was sent"
    return ""
