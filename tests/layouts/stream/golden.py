"""Golden bytes of our own, put together by json, cbor2 and HDF5's filter, not by the code they test.

``python -m tests.layouts.stream.golden`` writes them anew: one file a message, one line of hex a part.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import cbor2
import numpy as np

from layouts.stream import codecs_h5
from tests.layouts.stream import examples

FOLDER = Path(__file__).resolve().parents[2] / "golden"

# As the detector prints it; json.dumps would write 7.5e-05.
CONFIG_V1 = (
    '{"beam_center_x":1.5,"count_time":0.0999999,"data_collection_date":"2026-01-02T03:04:05.678+01:00",'
    '"detector_readout_time":7.540540540540541e-6,"detector_translation":[0.0,0.0,-0.125],"nimages":3,'
    '"ntrigger":2,"photon_energy":12400.0,"roi_mode":"","pixel_mask_applied":true,"x_pixel_size":0.000075}'
)


def read(name: str) -> list[bytes]:
    """The parts of a golden message."""
    return [bytes.fromhex(line) for line in (FOLDER / f"{name}.hex").read_text().split()]


def chunk() -> bytes:
    """The example's pixels as HDF5's bitshuffle filter packs them."""
    return codecs_h5.pack(examples.pixels(), 32008, (0, 2))


def v1_start() -> list[bytes]:
    """Header detail all, with appendix."""
    start = examples.start(1)
    table = start.countrate_table
    assert table is not None
    pairs = [struct.pack("<2f", counted, true) for counted, true in zip(*table.tolist(), strict=True)]
    return [
        b'{"header_detail":"all","htype":"dheader-1.0","series":7}',
        CONFIG_V1.encode(),
        b'{"htype":"dflatfield-1.0","shape":[3,2],"type":"float32"}',
        struct.pack("<6f", *start.flatfield["threshold_1"].ravel().tolist()),
        b'{"htype":"dpixelmask-1.0","shape":[3,2],"type":"uint32"}',
        struct.pack("<6I", 0, 1, 2, 4, 8, 16),
        b'{"htype":"dcountrate_table-1.0","shape":[2,4],"type":"float32"}',
        b"".join(pairs),
        '{"sample": "é"}'.encode(),
    ]


def v1_image() -> list[bytes]:
    """bslz4, 16 bit, with appendix."""
    about = {
        "encoding": "bs16-lz4<",
        "htype": "dimage_d-1.0",
        "shape": [3, 2],
        "size": len(chunk()),
        "type": "uint16",
    }
    second = _json(about)
    digest = hashlib.md5(second).hexdigest()
    times = {"htype": "dconfig-1.0", "real_time": 4999000, "start_time": 0, "stop_time": 4999995}
    first = {"frame": 300, "hash": digest, "htype": "dimage-1.0", "series": 7}
    return [_json(first), second, chunk(), _json(times), b"note"]


def v2_start() -> list[bytes]:
    """Everything there is."""
    start, config = examples.start(2), examples.config_v2()
    mask = struct.pack("<6I", 0, 1, 2, 4, 8, 16)
    flat = struct.pack("<6f", *start.flatfield["threshold_1"].ravel().tolist())
    tag = cbor2.CBORTag
    order = list(config)
    message: dict[str, Any] = {"type": "start", "series_id": 7, "series_unique_id": examples.ULID}
    for key in order[: order.index("detector_translation")]:
        message[key] = tag(0, config[key]) if key == "arm_date" else config[key]
    message["countrate_correction_lookup_table"] = tag(70, struct.pack("<3I", 0, 1, 70000))
    message["detector_translation"] = config["detector_translation"]
    message["flatfield"] = {"threshold_1": tag(40, [[2, 3], tag(85, flat)])}
    for key in order[order.index("flatfield_enabled") : order.index("pixel_mask_enabled")]:
        message[key] = config[key]
    message["pixel_mask"] = {"threshold_1": tag(40, [[2, 3], tag(70, mask)])}
    for key in order[order.index("pixel_mask_enabled") :]:
        message[key] = config[key]
    message["user_data"] = '{"sample": "é"}'
    return [b"\xd9\xd9\xf7" + _cbor(message)]


def v2_image() -> list[bytes]:
    """bslz4, 16 bit."""
    tag, base = cbor2.CBORTag, 50_000_000
    message = {
        "type": "image",
        "series_id": 7,
        "series_unique_id": examples.ULID,
        "image_id": 300,
        "real_time": [4999000, base],
        "series_date": tag(0, examples.DATE),
        "start_time": [0, base],
        "stop_time": [4999995, base],
        "data": {"threshold_1": tag(40, [[2, 3], tag(69, tag(56500, ["bslz4", 2, chunk()]))])},
    }
    return [b"\xd9\xd9\xf7" + _cbor(message)]


def v2_end() -> list[bytes]:
    """Three keys."""
    return [b"\xd9\xd9\xf7" + _cbor({"type": "end", "series_id": 7, "series_unique_id": examples.ULID})]


MESSAGES = {
    "v1-start": v1_start,
    "v1-image": v1_image,
    "v1-end": lambda: [b'{"htype":"dseries_end-1.0","series":7}'],
    "v2-start": v2_start,
    "v2-image": v2_image,
    "v2-end": v2_end,
}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _cbor(value: Any) -> bytes:
    """cbor2's canonical numbers, but maps in their own order."""
    match value:
        case dict():
            head = bytearray(cbor2.dumps([None] * len(value)))
            head = head[: -len(value)]
            head[0] |= 0x20
            return bytes(head) + b"".join(_cbor(key) + _cbor(item) for key, item in value.items())
        case list():
            head = cbor2.dumps([None] * len(value))[: -len(value)]
            return head + b"".join(map(_cbor, value))
        case cbor2.CBORTag():
            return cbor2.dumps(cbor2.CBORTag(value.tag, None))[:-1] + _cbor(value.value)
        case np.ndarray():
            raise TypeError("bytes, not arrays")
        case _:
            return cbor2.dumps(value, canonical=True)


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in MESSAGES.items():
        (FOLDER / f"{name}.hex").write_text("".join(part.hex() + "\n" for part in make()))


if __name__ == "__main__":
    main()
