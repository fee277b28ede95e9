"""The module of ophyd devices: its text, with places for what the beamline file says.

ophyd's own EpicsMotor, EigerDetectorCam, HDF5Plugin with FileStoreHDF5IterativeWrite, StatsPlugin,
ImagePlugin and SingleTrigger.
"""

from __future__ import annotations

from string import Template

MOTOR = "EpicsMotor"
"""Class of the motors."""
TAKEN = frozenset({"time"})
"""Names in small letters that the module uses itself."""


TEMPLATE = Template('''\
"""Devices of the beamline, made by `softbeam devices --flavour $flavour`.

The classes are those of ophyd. The environment has to lead to the beamline before this
module is imported: eval "$$(softbeam env)".
"""

import time
from pathlib import Path
from typing import Any

from ophyd import EpicsMotor, SingleTrigger
from ophyd.areadetector.base import ADComponent
from ophyd.areadetector.cam import EigerDetectorCam
from ophyd.areadetector.detectors import DetectorBase
from ophyd.areadetector.filestore_mixins import FileStoreHDF5IterativeWrite
from ophyd.areadetector.plugins import HDF5Plugin_V34, ImagePlugin_V34, StatsPlugin_V34

# Where the files go: a directory that writer and client see by the same path.
DATA = Path("data").absolute()


class Hdf(HDF5Plugin_V34, FileStoreHDF5IterativeWrite):
    """The file writer: one file from stage to unstage, with all points."""


class Eiger(SingleTrigger, DetectorBase):
    """A detector with its file writer, statistics and small image."""

    cam = ADComponent(EigerDetectorCam, "$cam")
    hdf = ADComponent(Hdf, "$hdf", write_path_template=str(DATA))
    stats = ADComponent(StatsPlugin_V34, "$stats")
    image = ADComponent(ImagePlugin_V34, "$image")

    _exposure: Any = None
    _points = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cam.stage_sigs["image_mode"] = "Multiple"
        self.read_attrs = ["hdf", "stats", "stats.total"]
        self.hdf.read_attrs = []
        self.stats.total.kind = "hinted"

    def stage(self) -> list[object]:
        """Begin a file."""
        self._exposure, self._points = None, 0
        return super().stage()

    def trigger(self) -> Any:
        """Take the frames of one point."""
        self._exposure = super().trigger()
        self._points += 1
        return self._exposure

    def resume(self) -> None:
        """Wait for the exposure that a pause has interrupted.

        The point is taken again. Rows are counted in whole points: were the detector
        armed while it still exposes, or did rows lack, each later event would point to
        the frames of its neighbour.

        Raises:
            RuntimeError: The interrupted exposure was aborted by hand.
        """
        super().resume()
        if self._exposure is None:
            return
        frames = self.hdf.get_frames_per_point()
        self._exposure.wait(frames * self.cam.acquire_period.get() + 10)
        rows, deadline = self._points * frames, time.monotonic() + 10
        while self.hdf.num_captured.get(use_monitor=False) < rows:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{self.name}: the file has fewer than {rows} rows, so the "
                    "exposure was aborted by hand. End this run with RE.abort()"
                )
            time.sleep(0.02)


$motors

$detectors

$motor_list
$detector_list
''')
