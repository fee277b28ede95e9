"""Codecs through HDF5's own filters and a file in memory: slow, and right on every platform.

The yardstick of the fast codecs' self-test, and what serves where the fast ones do not.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import itertools
from typing import Any, Final, cast

import h5py
import numpy as np
from numpy.typing import NDArray

import layouts.filters_h5  # noqa: F401  # pyright: ignore[reportUnusedImport]  registers the filters
from layouts.stream.errors import StreamError

_numbers: Final = itertools.count()
"""HDF5 takes two files in memory for one if they have one name, and several threads may be here at a time."""


def pack(array: NDArray[Any], filter_id: int, options: tuple[int, ...]) -> bytes:
    """The chunk that HDF5 stores for an array.

    Args:
        array: Any shape of at least one element.
        filter_id: Registered number of the filter.
        options: Its client data.

    Raises:
        RuntimeError: The filter does not work.
    """
    h5: Any = h5py
    with h5.File(f"pack {next(_numbers)}", "w", driver="core", backing_store=False) as file:
        data = file.create_dataset(
            "data", data=array, chunks=array.shape, compression=filter_id, compression_opts=options
        )
        skipped, chunk = data.id.read_direct_chunk((0,) * array.ndim)
        if skipped:
            raise RuntimeError(f"HDF5 filter {filter_id} packed nothing; is hdf5plugin whole?")
        return cast("bytes", chunk)


def unpack(
    chunk: bytes | memoryview, shape: tuple[int, ...], dtype: str, filter_id: int, options: tuple[int, ...]
) -> NDArray[Any]:
    """The array that HDF5 reads from a chunk.

    Raises:
        StreamError: The filter refuses the chunk.
    """
    h5: Any = h5py
    with h5.File(f"unpack {next(_numbers)}", "w", driver="core", backing_store=False) as file:
        data = file.create_dataset(
            "data", shape, np.dtype(dtype), chunks=shape, compression=filter_id, compression_opts=options
        )
        data.id.write_direct_chunk((0,) * len(shape), chunk)
        try:
            return cast("NDArray[Any]", data[()])
        except OSError as error:
            raise StreamError(
                f"filter {filter_id} refuses it ({error})", "payload", "send the frame again"
            ) from None
