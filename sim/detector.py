"""From a detector in the beamline file to its configuration at boot."""

from __future__ import annotations

import math
from dataclasses import replace

from layouts.beamline import Beamline, Detector
from layouts.geometry import panel
from layouts.stream.messages import Codec, GoniometerAxis, HeaderDetail
from sim.eiger_config import ConfigError, EigerConfig, set_value
from sim.readout import READOUTS


def initial_config(beamline: Beamline, detector: Detector) -> EigerConfig:
    """What a detector is set to before anybody has touched it: the energy and geometry of the beamline.

    Raises:
        ConfigError: The beamline file asks for what the model cannot do.
    """
    config = EigerConfig(
        readout=READOUTS[detector.model],
        readout_time=detector.spec.readout_time,
        cutoff=detector.count_rate_cutoff,
        compression=Codec(detector.stream.compression),
        header_detail=HeaderDetail(detector.stream.header_detail),
    )
    shortest = detector.initial_count_time + config.readout_time
    try:
        energy = beamline.motor(beamline.beam.energy).initial
        for name, value in (
            ("photon_energy", energy),
            ("count_time", detector.initial_count_time),
            ("frame_time", max(detector.initial_frame_time, shortest)),
        ):
            config, _ = set_value(config, name, value)
    except ConfigError as error:
        raise ConfigError(f"detector {detector.name}: {error}; change the beamline file") from None
    plane = panel(beamline, detector, {})
    # Where the direct beam misses the detector's plane, as on a swung arm, the pixel on the stage's origin.
    x, y = plane.beam_centre if math.isfinite(sum(plane.beam_centre)) else detector.beam_centre
    motors = {axis: beamline.motor(name) for axis, name in beamline.goniometer.items()}
    axes = {axis: GoniometerAxis(motor.initial, 0.0) for axis, motor in motors.items()}
    return replace(
        config,
        beam_center_x=x,
        beam_center_y=y,
        detector_distance=plane.distance * 1e-3,
        goniometer=axes,
    )
