"""The compression routines inside hdf5plugin's bitshuffle library, called without HDF5.

Two to three times the speed of the HDF5 filter, and they let other threads run meanwhile. That the library
exports them is no promise of anyone: ``codecs`` uses them only after a test against the filter.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from layouts.stream.errors import StreamError
from layouts.stream.payloads import BLOCK_BYTES, DAMAGED, FRAME, LENGTH, walk

_MAX_LZ4: Final = 1 << 30
"""Uncompressed bytes of one block of lz4 at most, as HDF5's filter has them."""
_ZSTD_LEVEL: Final = 1
"""The fastest: the levels above take far longer and pack detector frames hardly smaller."""


class Native:
    """The routines; every call may be made from any thread."""

    def __init__(self, path: Path) -> None:
        """Find them in a library.

        Raises:
            OSError: It cannot be loaded.
            AttributeError: It lacks one of them.
        """
        # One thread a process: the processes share the cores, and OpenMP collapses when they fight for them.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        library = ctypes.CDLL(str(path))
        pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        self._bshuf = library.bshuf_compress_lz4
        self._unbshuf = library.bshuf_decompress_lz4
        self._zstd = library.bshuf_compress_zstd
        self._unzstd = library.bshuf_decompress_zstd
        for routine in (self._bshuf, self._unbshuf, self._unzstd):
            routine.argtypes = (pointer, pointer, size, size, size)
            routine.restype = ctypes.c_int64
        self._zstd.argtypes = (pointer, pointer, size, size, size, number)
        self._zstd.restype = ctypes.c_int64
        self._bound = library.bshuf_compress_lz4_bound
        self._zstd_bound = library.bshuf_compress_zstd_bound
        for bound in (self._bound, self._zstd_bound):
            bound.argtypes = (size, size, size)
            bound.restype = size
        self._lz4 = library.LZ4_compress_default
        self._unlz4 = library.LZ4_decompress_safe
        for routine in (self._lz4, self._unlz4):
            routine.argtypes = (pointer, pointer, number, number)
            routine.restype = number

    def bslz4(self, pixels: NDArray[Any]) -> bytes:
        """Chunk of filter 32008 from contiguous pixels."""
        return self._bitshuffled(pixels, self._bshuf, self._bound)

    def bszstd(self, pixels: NDArray[Any]) -> bytes:
        """Chunk of filter 32008 with zstd in place of lz4, from contiguous pixels."""
        return self._bitshuffled(pixels, self._zstd, self._zstd_bound, _ZSTD_LEVEL)

    def _bitshuffled(self, pixels: NDArray[Any], routine: Any, bound: Any, *level: int) -> bytes:
        size, item = pixels.size, pixels.itemsize
        block = BLOCK_BYTES // item
        out = np.empty(FRAME.size + bound(size, item, block), dtype=np.uint8)
        written = routine(_address(pixels), _address(out) + FRAME.size, size, item, block, *level)
        if written < 0:
            raise RuntimeError(f"{routine.__name__} returned {written}")
        FRAME.pack_into(out.data, 0, pixels.nbytes, BLOCK_BYTES)
        return out[: FRAME.size + written].tobytes()

    def unbslz4(self, chunk: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Pixels from a chunk of filter 32008 whose first 8 bytes agree with the shape.

        Raises:
            StreamError: It is damaged.
        """
        return self._unshuffled(chunk, dtype, shape, self._unbshuf)

    def unbszstd(self, chunk: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """As ``unbslz4``, where zstd has packed.

        Raises:
            StreamError: It is damaged.
        """
        return self._unshuffled(chunk, dtype, shape, self._unzstd)

    def _unshuffled(
        self, chunk: memoryview, dtype: str, shape: tuple[int, ...], routine: Any
    ) -> NDArray[Any]:
        pixels = np.empty(shape, dtype=dtype)
        # 0 stands for the library's own block size.
        block = FRAME.unpack_from(chunk)[1] or BLOCK_BYTES
        blocks = chunk[FRAME.size :]
        walk(blocks, block, pixels.nbytes, pixels.itemsize)
        source = np.frombuffer(blocks, dtype=np.uint8)
        item = pixels.itemsize
        read = routine(_address(source), _address(pixels), pixels.size, item, block // item)
        if read != source.size:
            raise StreamError("a block of shuffled bits does not unpack", "payload", DAMAGED)
        return pixels

    def lz4(self, pixels: NDArray[Any]) -> bytes:
        """Chunk of filter 32004 from contiguous pixels."""
        flat = pixels.reshape(-1).view(np.uint8)
        size = min(flat.size, _MAX_LZ4)
        pieces: list[bytes] = [FRAME.pack(flat.size, size)]
        for start in range(0, flat.size, size):
            plain = flat[start : start + size]
            packed = self.lz4_block(plain)
            if len(packed) >= plain.size:
                packed = plain.tobytes()
            pieces += (LENGTH.pack(len(packed)), packed)
        return b"".join(pieces)

    def unlz4(self, chunk: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Pixels from a chunk of filter 32004 whose first 8 bytes agree with the shape.

        Raises:
            StreamError: It is damaged.
        """
        pixels = np.empty(shape, dtype=dtype)
        flat = pixels.reshape(-1).view(np.uint8)
        size = FRAME.unpack_from(chunk)[1]
        position, start = FRAME.size, 0
        while start < flat.size:
            if not size or position + LENGTH.size > len(chunk):
                raise StreamError("blocks of lz4 are missing", "payload", DAMAGED)
            length = LENGTH.unpack_from(chunk, position)[0]
            position += LENGTH.size
            block, out = chunk[position : position + length], flat[start : start + size]
            if len(block) != length:
                raise StreamError("a block of lz4 is cut short", "payload", DAMAGED)
            if length == out.size:
                out[:] = np.frombuffer(block, dtype=np.uint8)
            else:
                self._fill(block, out)
            position += length
            start += out.size
        if position != len(chunk):
            raise StreamError(f"{len(chunk) - position} bytes follow the pixels", "payload", DAMAGED)
        return pixels

    def lz4_block(self, pixels: NDArray[Any]) -> bytes:
        """One block of LZ4 with nothing before it."""
        size = pixels.nbytes
        out = np.empty(size + size // 255 + 16, dtype=np.uint8)
        written = self._lz4(_address(pixels), _address(out), size, out.size)
        if written <= 0:
            raise RuntimeError(f"LZ4_compress_default returned {written}")
        return out[:written].tobytes()

    def unlz4_block(self, block: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Pixels from one block of LZ4.

        Raises:
            StreamError: It is damaged.
        """
        pixels = np.empty(shape, dtype=dtype)
        self._fill(block, pixels.reshape(-1).view(np.uint8))
        return pixels

    def _fill(self, block: memoryview, out: NDArray[np.uint8]) -> None:
        source = np.frombuffer(block, dtype=np.uint8)
        if self._unlz4(_address(source), _address(out), source.size, out.size) != out.size:
            raise StreamError("a block of lz4 does not unpack", "payload", DAMAGED)


def library() -> Path:
    """Where hdf5plugin keeps its bitshuffle library; found without an import, which would load every filter.

    Raises:
        OSError: It is not there.
    """
    spec = importlib.util.find_spec("hdf5plugin")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder, "plugins").glob("libh5bshuf.*")):
            return path
    raise OSError("hdf5plugin has no libh5bshuf")


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])
