"""Files of a worker that is killed, and what must come back of them."""

import hashlib
import multiprocessing
import os
import signal

import h5py
import numpy as np
import orjson

from layouts.beamline import load
from layouts.nexus.check_h5 import check
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import DATA, About, Meta, Stripe, meta_file, raw_file
from layouts.stream.codecs import FILTERS, chunk_parts, pack
from layouts.stream.messages import Codec, SeriesParameters
from layouts.stream.parameters import config_v2
from writer.capture_values import PixelFormat
from writer.meta_h5 import MetaFile, Row
from writer.raw_h5 import RawFiles
from writer.salvage_run import salvage

SHAPE = (24, 36)
STEM = "run_EIG1"
BASE = 1_770_000_000_000_000_000


def pixels(place):
    frame = np.zeros(SHAPE, np.uint16)
    frame[0, 0], frame[0, 1], frame[5, 7] = place % 250, place // 250, 9
    return frame


def _header(series, images):
    said = SeriesParameters(
        images=images,
        images_per_trigger=images,
        triggers=1,
        count_time=0.009,
        frame_time=0.01,
        trigger_mode="ints",
        readout_time=1e-7,
        energy=12700.0,
        wavelength=0.97625,
        threshold_energy={"threshold_1": 6350.0},
        bit_depth_readout=16,
        beam_center=(10.0, 12.0),
        detector_translation=(0.0, 0.0, -0.12),
        description="Dectris test",
        pixel_size=(75e-6, 75e-6),
        sensor_material="Si",
        sensor_thickness=450e-6,
        saturation_value=60000,
        countrate_cutoff=60000,
        arm_date="2026-03-01T12:00:00.000+00:00",
        image_size=SHAPE[::-1],
        dtype="uint16",
        bit_depth_image=16,
        serial_number="E-00",
    )
    return orjson.dumps(
        {"version": 2, "series": series, "header_detail": "all", "config": config_v2(said)},
        default=str,
    )


ALIVE = []
"""What a child has open when it is killed: nothing may close it before."""


class Writer:
    """A worker's files, written as it does."""

    def __init__(
        self, directory, *, codec=Codec.BSLZ4, rows_per_file=0, first=None, suffix="", stem=STEM, dealt=None
    ):
        self.codec = codec
        name = None if first is None else directory / first
        self.raw = RawFiles(
            directory,
            stem,
            rows_per_file=rows_per_file,
            first=name,
            suffix=suffix,
            meta=directory / meta_file(stem),
        )
        about = {
            About.DETECTOR: stem.rpartition("_")[2],
            About.CAPTURE: "c1",
            About.FIRST_FILE: first or "",
            About.TEMP_SUFFIX: suffix,
        }
        self.meta = MetaFile(
            directory / meta_file(stem), about, (), dealt=dealt or Mapping(rows_per_file=rows_per_file)
        )
        self.rows = []
        ALIVE.append(self)

    def begin(self, images, data=True):
        self.meta.add_header(1, _header(1, images))
        mask = np.zeros(SHAPE, np.uint32)
        mask[2, 3] = 1
        self.meta.add_array(Meta.MASKS, mask)
        self.raw.plan(images)
        self.meta.plan(images)
        if data:
            self.raw.start(PixelFormat(SHAPE, "uint16", self.codec))

    def write(self, place, series=1, frame=None):
        chunk = chunk_parts(pack(pixels(place), self.codec))
        self.raw.write(place, chunk)
        time = 10_000_000 * (place + 1)
        row = (series, place if frame is None else frame, time, time + 9, 9, len(chunk), BASE + time)
        self.rows.append(Row(place, *row).packed)

    def flush(self, *, rows=True):
        self.raw.flush()
        if rows:
            self.meta.write(self.rows)
            self.rows.clear()


def killed(work, *arguments):
    """Run something in a child that kills itself at its end; what it had told is what must come back."""
    context = multiprocessing.get_context("fork")
    pipe, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_die, args=(work, theirs, arguments))
    process.start()
    theirs.close()
    told = []
    try:
        while True:
            told.append(pipe.recv())
    except EOFError:
        pass
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    return told


def _die(work, pipe, arguments):
    work(pipe.send, *arguments)
    os.kill(os.getpid(), signal.SIGKILL)


def simple(tell, directory, frames=20, flushed=14, missing=(), **more):
    writer = Writer(directory, **more)
    writer.begin(40)
    for place in range(frames):
        if place not in missing:
            writer.write(place)
        if place == flushed - 1:
            writer.flush()
            tell(flushed)


def digests(directory):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.iterdir()
        if path.is_file()
    }


def bring_back(directory, **more):
    """Salvage, with the originals' bytes compared."""
    before = digests(directory)
    result = salvage(directory, load(), **more)
    after = digests(directory)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.endswith(".tmp")]
    return result


def frames_of(master):
    with h5py.File(master) as file:
        group = file["entry/data"]
        if "data" in group:
            return group["data"][()]
        return np.concatenate([group[name][()] for name in sorted(group) if name.startswith("data_")])


def check_frames(result, there, rows):
    """The master shows exactly these places, each as itself, and the checker has nothing else to say."""
    assert result.ok, result.findings
    nexus, dectris = result.masters
    for master in (nexus, dectris):
        data = frames_of(master)
        assert len(data) == rows
        for place in range(rows):
            expected = pixels(place) if place in there else np.full(SHAPE, 65535, np.uint16)
            np.testing.assert_array_equal(data[place], expected)
        report = check(master, deep=True)
        assert report.ok, report.findings
        others = [f for f in report.findings if f.severity == "warning" and "missing" not in f.what]
        assert not others, others
    return nexus


def striped(tell, directory, mapping):
    """Two workers that take turns, with one meta file; both die."""
    meta = Writer(directory, dealt=mapping)
    meta.begin(40, data=False)
    files = {}
    for place in range(33):
        worker, file, row = mapping.locate(place)
        number = file * mapping.workers + worker + 1
        if number not in files:
            files[number] = _share(directory, number, mapping, mapping.place(Location(worker, file, 0)))
        chunk = chunk_parts(pack(pixels(place), Codec.BSLZ4))
        files[number].id.write_direct_chunk((row, 0, 0), chunk)
        time = 10_000_000 * (place + 1)
        meta.rows.append(Row(place, 1, place, time, time + 9, 9, len(chunk), BASE + time).packed)
    for data in files.values():
        data.flush()
    meta.meta.write(meta.rows)


def _share(directory, number, mapping, first):
    path = directory / raw_file(STEM, number)
    file = h5py.File(path, "x", libver=("v110", "v110"), locking=False)
    ALIVE.append(file)
    known, options = FILTERS[Codec.BSLZ4]
    data = file.create_dataset(
        DATA,
        shape=(mapping.rows_per_file, *SHAPE),
        maxshape=(None, *SHAPE),
        chunks=(1, *SHAPE),
        dtype="<u2",
        fillvalue=65535,
        compression=known,
        compression_opts=options,
    )
    said = {Stripe.WORKERS: mapping.workers, Stripe.FRAMES_PER_BLOCK: mapping.block}
    said |= {Stripe.IMAGES_PER_FILE: mapping.rows_per_file, "image_nr_low": first + 1, "image_nr_high": 0}
    data.attrs.update(said)
    file.swmr_mode = True
    return data
