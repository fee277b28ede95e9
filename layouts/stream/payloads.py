"""What stands before packed pixels: HDF5's frame, its checks, and lz4 with and without it.

bslz4 and framed lz4 begin with the uncompressed size (8 bytes, big-endian) and the block size (4 bytes), as
HDF5's filters 32008 and 32004 have it, and each block with its packed length (4 bytes). Version 1 of the
stream sends lz4 as one block with nothing before it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import Final

from layouts.stream import lz4_block
from layouts.stream.arrays import ITEM_SIZE, PIXEL_TYPES
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Payload

FRAME: Final = struct.Struct(">QI")
"""Uncompressed bytes, bytes of a block."""
LENGTH: Final = struct.Struct(">I")
"""Packed bytes of one block."""
BLOCK_BYTES: Final = 8192
"""Uncompressed bytes of one bitshuffle block, as the detector has them."""
MAX_RATIO: Final = 256
"""Pixels to packed bytes; LZ4 itself stays below. What claims more would only make room for nothing."""
_MAX_RATIO_ZSTD: Final = 1024
"""Likewise with zstd, which makes of a block with one value a dozen bytes."""
DAMAGED: Final = "the frame was damaged or packed by something else; it cannot be stored"


def raw_size(payload: Payload) -> int:
    """Bytes of the pixels, unpacked."""
    return math.prod(payload.shape) * ITEM_SIZE[payload.dtype]


def check(payload: Payload) -> None:
    """See that a payload can be what it says, without unpacking it.

    Raises:
        StreamError: Its type is none of a detector's, or its size disagrees with its shape.
    """
    slow, fast = payload.shape
    if payload.dtype not in PIXEL_TYPES:
        raise _error(payload, f"pixels of type {payload.dtype}", f"use one of {', '.join(PIXEL_TYPES)}")
    if slow <= 0 or fast <= 0:
        raise _error(payload, f"a frame of shape {payload.shape}", "a frame has pixels")
    total = slow * fast * ITEM_SIZE[payload.dtype]
    data = payload.data
    held = len(data) if isinstance(data, bytes) else data.nbytes
    if payload.codec is Codec.NONE:
        if held != total:
            what = f"{held} bytes for {slow} x {fast} pixels of {payload.dtype}"
            raise _error(payload, what, f"{total} are right")
    elif total > (_MAX_RATIO_ZSTD if payload.codec is Codec.BSZSTD else MAX_RATIO) * held:
        raise _error(payload, f"{held} bytes ask for room for {total}", DAMAGED)
    elif payload.framed:
        _check_frame(payload, held, total)


def check_blocks(payload: Payload) -> None:
    """See that packed blocks end where the payload does: readers believe it, and crash if they do not.

    Takes some 30 us for a million pixels; what is in the blocks is not looked at.

    Raises:
        StreamError: They do not, or ``check`` finds something.
    """
    check(payload)
    if payload.codec is Codec.NONE or not payload.framed:
        return
    data = memoryview(payload.data).cast("B")
    total, block = FRAME.unpack_from(data)
    # 0 stands for the library's own block size.
    item = 0 if payload.codec is Codec.LZ4 else ITEM_SIZE[payload.dtype]
    walk(data[FRAME.size :], block or BLOCK_BYTES, total, item)


def walk(blocks: memoryview, block: int, total: int, item: int) -> None:
    """See that every block lies within the bytes: the routines believe the lengths they read.

    Args:
        blocks: What follows the frame.
        block: Unpacked bytes of a block.
        total: Unpacked bytes of all.
        item: Bytes of a pixel where bits are shuffled, in groups of eight pixels; 0 where they are not.

    Raises:
        StreamError: A block is missing, or the last does not end with the bytes.
    """
    group = 8 * item or 1
    if block % group:
        raise StreamError(f"blocks of {block} bytes", "payload", DAMAGED)
    full, rest = divmod(total, block)
    plain = rest % group
    """Bytes that fill no group of eight pixels stand at the end, unpacked."""
    position = 0
    for _ in range(full + (rest > plain)):
        if position + LENGTH.size > len(blocks):
            raise StreamError("packed blocks are missing", "payload", DAMAGED)
        position += LENGTH.size + LENGTH.unpack_from(blocks, position)[0]
    if position + plain != len(blocks):
        raise StreamError("the packed blocks do not end where the payload does", "payload", DAMAGED)


def _check_frame(payload: Payload, held: int, total: int) -> None:
    if held < FRAME.size:
        raise _error(payload, f"{held} bytes, less than the header", DAMAGED)
    said = FRAME.unpack_from(payload.data)[0]
    if said != total:
        slow, fast = payload.shape
        what = f"its header says {said} bytes, {slow} x {fast} pixels of {payload.dtype} are {total}"
        raise _error(payload, what, DAMAGED)


def framed(payload: Payload) -> Payload:
    """The payload with HDF5's frame before lz4; itself if it has one or needs none.

    Raises:
        StreamError: It is damaged.
    """
    if payload.framed:
        return payload
    total = raw_size(payload)
    block = memoryview(payload.data).cast("B")
    # HDF5 takes a block as long as its pixels for one that is not packed at all.
    data = lz4_block.expand(block, total) if len(block) == total else block
    chunk = b"".join((FRAME.pack(total, total), LENGTH.pack(len(data)), data))
    return replace(payload, data=chunk, framed=True)


def unframed(payload: Payload) -> Payload:
    """The payload as version 1 sends it: lz4 without HDF5's frame; itself if it is not lz4.

    Raises:
        StreamError: It is damaged, or has more than one block.
    """
    if payload.codec is not Codec.LZ4 or not payload.framed:
        return payload
    check(payload)
    return replace(payload, data=bare_block(memoryview(payload.data).cast("B")), framed=False)


def bare_block(chunk: memoryview) -> bytes | memoryview:
    """The one block of LZ4 in a chunk of filter 32004.

    Raises:
        StreamError: It is damaged, or has more than one.
    """
    if len(chunk) < FRAME.size + LENGTH.size:
        raise StreamError(f"{len(chunk)} bytes, less than the header", "payload", DAMAGED)
    total, size = FRAME.unpack_from(chunk)
    if size < total:
        raise StreamError("lz4 of several blocks", "payload", "version 1 sends one block; pack it so")
    length = LENGTH.unpack_from(chunk, FRAME.size)[0]
    block = chunk[FRAME.size + LENGTH.size :]
    if len(block) != length:
        raise StreamError(f"a block of {len(block)} bytes says {length}", "payload", DAMAGED)
    return lz4_block.literal(block) if length == total else block


def _error(payload: Payload, what: str, remedy: str) -> StreamError:
    return StreamError(what, f"payload of {payload.channel}", remedy)
