"""NXdetector: place, pixels, times, masks and limits of one detector.

Geometry is said twice, as NXmx wants it: by the chain of axes, which is what counts, and by ``distance`` and
``beam_center``, which are computed from the same chain. The distance is that of the sensor's plane (along its
normal, as XDS and DIALS have it), the beam centre where the direct beam meets that plane.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from layouts import geometry
from layouts.beamline import Beamline, Detector
from layouts.capture import DetectorCapture
from layouts.nexus.chain import positioner, transformations
from layouts.nexus.frames import masked, relative
from layouts.nexus.positions import axes, panel_at_start
from layouts.nexus.tree import ExternalLink, Group, HardLink, Node, SoftLink, Value, data, group, maybe
from layouts.raw.names import Column, Meta


def saturation(detector: Detector, capture: DetectorCapture) -> int:
    """Counts above which a pixel of one frame cannot be trusted.

    The detector's own word on it covers the whole frame, sub-frames summed; without it the count-rate cut-off
    does, over the counting time. Never more than the image type holds: its two highest values mean "masked".

    Args:
        detector: With its count-rate cut-off.
        capture: With type and parameters.
    """
    parameters = capture.parameters
    said = parameters.saturation_value or parameters.countrate_cutoff
    seconds = parameters.count_time or detector.initial_count_time
    counts = said or int(detector.count_rate_cutoff * seconds)
    return max(1, min(counts, masked(capture.dtype) - 2))


def image_depth(capture: DetectorCapture) -> int:
    """Bits of one pixel of an image."""
    return 8 * np.dtype(capture.dtype).itemsize


def pixel_size(detector: Detector, capture: DetectorCapture) -> tuple[float, float]:
    """Edges of a pixel in metres, (fast, slow)."""
    return capture.parameters.pixel_size or (detector.spec.pixel_size, detector.spec.pixel_size)


def pv(beamline: Beamline, motor: str) -> str:
    """Name of a motor's record."""
    return f"{beamline.prefix}{beamline.motor(motor).pv}"


def detector_group(beamline: Beamline, capture: DetectorCapture, directory: Path, place: str) -> Group:
    """NXdetector of a capture.

    Args:
        beamline: Description of the beamline.
        capture: What the detector gave.
        directory: Where the master is.
        place: Path that the group will have.
    """
    detector = beamline.detector(capture.detector)
    parameters = capture.parameters
    chain, stage = transformations(axes(beamline, capture, detector.stage), f"{place}/transformations")
    sensor = parameters.sensor_thickness or detector.sensor_thickness
    panel = panel_at_start(beamline, capture)
    x, y = panel.beam_centre
    size = pixel_size(detector, capture)
    members: dict[str, Node | None] = {
        "description": data(parameters.description or detector.spec.description),
        "type": data("Pixel"),
        "local_name": data(detector.name),
        "serial_number": data(parameters.serial_number or detector.serial_number),
        "depends_on": data(stage),
        "transformations": chain,
        "module": _module(detector, capture, stage, f"{place}/module"),
        "distance": data(panel.distance * 1e-3, units="m"),
        "distance_derived": data(1),
        "detector_distance": SoftLink(path=f"{place}/distance"),
        "beam_center_x": None if np.isnan(x) else data(x, units="pixel"),
        "beam_center_y": None if np.isnan(y) else data(y, units="pixel"),
        "x_pixel_size": data(size[0], units="m"),
        "y_pixel_size": data(size[1], units="m"),
        "sensor_material": data(parameters.sensor_material or detector.sensor_material),
        "sensor_thickness": data(sensor, units="m"),
        "count_time": maybe(parameters.count_time, units="s"),
        "frame_time": maybe(parameters.frame_time, units="s"),
        "detector_readout_time": maybe(parameters.readout_time, units="s"),
        "threshold_energy": maybe(next(iter(parameters.threshold_energy.values()), None), units="eV"),
        "bit_depth_readout": data(image_depth(capture)),
        "bit_depth_image": data(image_depth(capture)),
        "saturation_value": data(saturation(detector, capture)),
        "underload_value": data(0),
        "number_of_cycles": data(1),
        "countrate_correction_applied": maybe(parameters.countrate_correction_applied),
        "flatfield_applied": maybe(parameters.flatfield_applied),
        "pixel_mask_applied": maybe(parameters.pixel_mask_applied),
        "virtual_pixel_interpolation_applied": maybe(parameters.virtual_pixel_correction_applied),
        "pixel_mask": HardLink(path=f"{place}/detectorSpecific/pixel_mask"),
        "flatfield": None if capture.flatfield is None else data(capture.flatfield),
        "detectorSpecific": _specific(detector, capture),
        "frames": _columns(capture, directory),
        "NDAttributes": attributes_link(capture, directory, Meta.DETECTOR_ATTRIBUTES),
    }
    return group("NXdetector", members)


def _module(detector: Detector, capture: DetectorCapture, stage: str, place: str) -> Group:
    """The whole sensor as one NXdetector_module; pixels -> offset -> the stage's outermost axis."""
    fast, slow = geometry.pixel_axes(detector)
    corner = geometry.corner(detector) * 1e-3
    reach = float(np.linalg.norm(corner))
    direction = corner / reach if reach else np.array([0.0, 0.0, 1.0])
    size = pixel_size(detector, capture)
    offset = f"{place}/module_offset"

    def along(length: float, vector: Value, below: str) -> Node:
        return data(length, units="m", transformation_type="translation", vector=vector, depends_on=below)

    return group(
        "NXdetector_module",
        {
            "data_origin": data(np.zeros(2, dtype=np.int32)),
            "data_size": data(np.array(capture.shape, dtype=np.int32)),
            "data_stride": data(np.ones(2, dtype=np.int32)),
            "module_offset": along(reach, direction, stage),
            "fast_pixel_direction": along(size[0], fast, offset),
            "slow_pixel_direction": along(size[1], slow, offset),
        },
    )


def _specific(detector: Detector, capture: DetectorCapture) -> Group:
    """What the plug-ins of XDS and autoPROC look for under Dectris's own names.

    No ``eiger_fw_version``: with it current dxtbx leaves the virtual data set aside and reads the links.
    """
    parameters = capture.parameters
    slow, fast = capture.shape
    readout = parameters.bit_depth_readout or detector.spec.readout_depth
    return group(
        "NXcollection",
        {
            "nimages": data(capture.rows),
            "ntrigger": data(1),
            "x_pixels_in_detector": data(fast),
            "y_pixels_in_detector": data(slow),
            "bit_depth_readout": data(readout),
            "photon_energy": maybe(parameters.energy, units="eV"),
            "software_version": maybe(parameters.software_version),
            "pixel_mask": data(capture.pixel_mask),
        },
    )


def _columns(capture: DetectorCapture, directory: Path) -> Group:
    """What is known of each frame: the columns of the meta file, one row a place."""
    meta = relative(capture.meta_file, directory)
    return group(
        "NXcollection",
        {
            column.value: ExternalLink(file=meta, path=f"{Meta.COLUMNS.value}/{column.value}")
            for column in Column
        },
    )


def attributes_link(capture: DetectorCapture, directory: Path, place: Meta) -> ExternalLink | None:
    """Where NDAttributes stand beside the frames, as in the file of one capture; nothing if there are none.

    Args:
        capture: With its meta file.
        directory: Where the master is.
        place: Group of the meta file.
    """
    if not capture.has_attributes:
        return None
    return ExternalLink(file=relative(capture.meta_file, directory), path=place.value)


def positioners(beamline: Beamline, capture: DetectorCapture, place: str) -> dict[str, Node]:
    """The stage's motors as people look for them: detector_z with det_z in it, detector_arm ...

    Args:
        beamline: Description of the motors.
        capture: With the positions.
        place: Path of the NXdetector.
    """
    stage = beamline.detector(capture.detector).stage
    return {
        f"detector_{axis.motor.name.removeprefix('det_')}": positioner(
            axis, f"{place}/transformations", pv(beamline, axis.motor.name)
        )
        for axis in axes(beamline, capture, stage)
    }
