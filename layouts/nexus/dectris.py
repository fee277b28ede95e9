"""The Dectris-style master of one detector, ``NAME_DET_master.h5``, over the same raw files.

After the file writer's legacy format: links data_000001 ..., ``detectorSpecific``, goniometer arrays, the
sensor's place as ``geometry/translation`` and ``geometry/orientation``. Readers know the format by what it
lacks: a ``definition``, a module, detector transformations or a saturation value would send dxtbx down its
NXmx path, or collide with what it adds by itself. Dectris turns z against the beam.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from layouts.beamline import Beamline, Detector
from layouts.capture import Acquisition, DetectorCapture
from layouts.nexus.chain import transformations
from layouts.nexus.detector import attributes_link, image_depth, pixel_size, saturation
from layouts.nexus.frames import data_name, frames, links
from layouts.nexus.nxmx import beam_group, iso
from layouts.nexus.positions import axes, energies, panel_at_start
from layouts.nexus.sample import sample_axes
from layouts.nexus.tree import Group, Node, Value, attributes, data, group, maybe
from layouts.raw.names import Meta, dectris_master_file

FLIP = np.array([1.0, 1.0, -1.0])
"""From McStas to Dectris: z towards the source."""


def master(acquisition: Acquisition, capture: DetectorCapture) -> Group:
    """The tree of a detector's ``NAME_DET_master.h5``.

    Args:
        acquisition: Ended.
        capture: The detector's part of it.
    """
    beamline = acquisition.beamline
    energy = float(energies(beamline, capture)[0][0])
    entry = group(
        "NXentry",
        {
            "start_time": data(iso(capture.started)),
            "end_time": maybe(iso(acquisition.ended) if acquisition.ended else None),
            "data": group("NXdata", _data(acquisition, capture)),
            "instrument": group(
                "NXinstrument",
                {
                    "name": data(beamline.name),
                    "beam": beam_group(beamline, capture),
                    "monochromator": group("NXmonochromator", {"energy": data(energy, units="eV")}),
                    "detector": _detector(acquisition, capture),
                    "NDAttributes": attributes_link(capture, acquisition.directory, Meta.ATTRIBUTES),
                },
            ),
            "sample": _sample(beamline, capture),
        },
    )
    name = dectris_master_file(acquisition.name, capture.detector)
    return group("NXroot", {"entry": entry}, default="entry", file_name=name, creator="softbeam")


def _data(acquisition: Acquisition, capture: DetectorCapture) -> dict[str, Node]:
    """data_000001 ...: the raw files, or all frames in one where raw files are no runs of frames.

    One and not several: dxtbx keeps the data set that it read last by the name of the file it is in, and
    would take the second for the first.
    """
    apart = links(capture, acquisition.directory)
    if apart:
        return apart
    numbers = attributes({"image_nr_low": np.int32(1), "image_nr_high": np.int32(capture.rows)})
    return {data_name(1): replace(frames(capture, acquisition.directory), attributes=numbers)}


def _detector(acquisition: Acquisition, capture: DetectorCapture) -> Group:
    beamline = acquisition.beamline
    detector = beamline.detector(capture.detector)
    parameters = capture.parameters
    panel = panel_at_start(beamline, capture)
    x, y = panel.beam_centre
    size = pixel_size(detector, capture)
    sensor = parameters.sensor_thickness or detector.sensor_thickness
    members: dict[str, Node | None] = {
        "description": data(_description(detector, capture)),
        "detector_number": data(parameters.serial_number or detector.serial_number),
        "beam_center_x": None if np.isnan(x) else data(x, units="pixel"),
        "beam_center_y": None if np.isnan(y) else data(y, units="pixel"),
        "bit_depth_image": data(image_depth(capture)),
        "bit_depth_readout": data(parameters.bit_depth_readout or detector.spec.readout_depth),
        "count_time": maybe(parameters.count_time, units="s"),
        "frame_time": maybe(parameters.frame_time, units="s"),
        "detector_readout_time": maybe(parameters.readout_time, units="s"),
        "detector_distance": data(panel.distance * 1e-3, units="m"),
        "x_pixel_size": data(size[0], units="m"),
        "y_pixel_size": data(size[1], units="m"),
        "sensor_material": data(parameters.sensor_material or detector.sensor_material),
        "sensor_thickness": data(sensor, units="m"),
        "threshold_energy": maybe(next(iter(parameters.threshold_energy.values()), None), units="eV"),
        "countrate_correction_applied": maybe(parameters.countrate_correction_applied),
        "flatfield_correction_applied": maybe(parameters.flatfield_applied),
        "pixel_mask_applied": maybe(parameters.pixel_mask_applied),
        "virtual_pixel_correction_applied": maybe(parameters.virtual_pixel_correction_applied),
        "geometry": group(
            "NXgeometry",
            {
                "orientation": group(
                    "NXorientation",
                    {"value": data(np.concatenate([panel.fast * FLIP, panel.slow * FLIP]))},
                ),
                "translation": group(
                    "NXtranslation", {"distances": data(panel.origin * 1e-3 * FLIP, units="m")}
                ),
            },
        ),
        "goniometer": _goniometer(_two_theta(beamline, capture)),
        "detectorSpecific": _specific(acquisition, capture, detector),
    }
    return group("NXdetector", members)


def _description(detector: Detector, capture: DetectorCapture) -> str:
    """As the detector says it; dxtbx knows the format by "dectris eiger" in it."""
    said = capture.parameters.description or detector.spec.description
    return said if "dectris eiger" in said.lower() else detector.spec.description


def _specific(acquisition: Acquisition, capture: DetectorCapture, detector: Detector) -> Group:
    parameters = capture.parameters
    slow, fast = capture.shape
    # Readers multiply the two: a series cut short in a trigger is told of as one trigger with what came.
    planned = parameters.triggers or 1
    triggers = planned if capture.rows and capture.rows % planned == 0 else 1
    energy = parameters.energy or float(energies(acquisition.beamline, capture)[0][0])
    return group(
        "NXcollection",
        {
            "compression": data(detector.stream.compression),
            "countrate_correction_count_cutoff": data(
                np.int32(min(saturation(detector, capture), 2**31 - 1))
            ),
            "data_collection_date": data(parameters.arm_date or iso(capture.started)),
            "eiger_fw_version": maybe(parameters.firmware_version),
            "flatfield": maybe(capture.flatfield),
            "frame_count_time": maybe(parameters.count_time, units="s"),
            "nimages": data(capture.rows // triggers),
            "ntrigger": data(triggers),
            "number_of_excluded_pixels": data(int(np.count_nonzero(capture.pixel_mask))),
            "photon_energy": data(energy, units="eV"),
            "pixel_mask": data(capture.pixel_mask),
            "software_version": maybe(parameters.software_version),
            "trigger_mode": maybe(parameters.trigger_mode),
            "x_pixels_in_detector": data(fast),
            "y_pixels_in_detector": data(slow),
        },
    )


def _sample(beamline: Beamline, capture: DetectorCapture) -> Group:
    chain = sample_axes(beamline, capture)
    moves, outermost = transformations(chain, "/entry/sample/transformations", capture.rows)
    by_motor = {axis.motor.name: axis for axis in chain}
    angles = {
        name: (by_motor[motor].values, by_motor[motor].increment)
        for name, motor in beamline.goniometer.items()
        if motor in by_motor
    }
    return group(
        "NXsample",
        {
            "name": data(beamline.sample.name),
            "depends_on": data(outermost),
            "transformations": moves,
            "goniometer": _goniometer(angles),
        },
    )


def _goniometer(angles: dict[str, tuple[np.ndarray, float]]) -> Group | None:
    """Angles by SIMPLON's axis names: where each frame began and ended, and the step."""
    members: dict[str, Node] = {}
    for name, (values, increment) in angles.items():
        numbers: dict[str, Value] = {
            name: values,
            f"{name}_end": values + increment,
            f"{name}_start": float(values[0]),
            f"{name}_increment": increment,
            f"{name}_range_average": increment,
            f"{name}_range_total": increment * values.size,
        }
        members |= {key: data(value, units="degree") for key, value in numbers.items()}
    return group("NXcollection", members) if members else None


def _two_theta(beamline: Beamline, capture: DetectorCapture) -> dict[str, tuple[np.ndarray, float]]:
    motor = beamline.goniometer.get("two_theta")
    stage = axes(beamline, capture, beamline.detector(capture.detector).stage)
    found = next((a for a in stage if a.motor.name == motor), None)
    return {} if found is None else {"two_theta": (found.values, found.increment)}
