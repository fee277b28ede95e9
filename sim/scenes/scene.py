"""What one detector sees of the crystal: frames with their noise, and the truth about them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, Detector
from layouts.geometry import axis_chain, panel, wavelength
from sim.scenes import goniometry, sensor
from sim.scenes.background import Light, NoisePool, rates, shadow
from sim.scenes.crystal import grow
from sim.scenes.exposure import Exposure
from sim.scenes.optics import Optics, optics
from sim.scenes.paint import Painter
from sim.scenes.reflections import Reflections, brightness
from sim.scenes.rotation_table import RotationTable
from sim.scenes.snapshot import snapshot

_DTYPES: dict[int, np.dtype[np.unsignedinteger]] = {
    8: np.dtype(np.uint8),
    16: np.dtype(np.uint16),
    32: np.dtype(np.uint32),
}


class Scene:
    """The crystal as one detector sees it.

    The same beamline file gives the same frames, in whatever order they are rendered: the noise of a frame
    comes from the crystal's seed, the detector's name, the series and the frame number.

    Attributes:
        pixel_mask: Dectris bits, uint32, shape (slow, fast).
        flatfield: What frames have been corrected by, float32, shape (slow, fast).
    """

    def __init__(self, beamline: Beamline, detector: Detector) -> None:
        """Grow the crystal and look up what does not change.

        Raises:
            ValueError: The space group is unknown, the cell does not fit it, or the mask cannot be read.
        """
        self._beamline = beamline
        self._detector = detector
        self._crystal = beamline.sample.crystal
        self._seed = [self._crystal.seed, zlib.crc32(detector.name.encode())]
        self._lattice = grow(self._crystal)
        self.pixel_mask: NDArray[np.uint32] = sensor.pixel_mask(detector, self._seed)
        self.flatfield: NDArray[np.float32] = sensor.flatfield(detector, self._seed)
        self._painter = Painter(self.pixel_mask != 0)
        self._sample_axes = {m.name for m in axis_chain(beamline, beamline.sample.depends_on)}
        self._view_axes = {m.name for m in axis_chain(beamline, detector.stage)} | {beamline.beam.energy}
        self._turning = goniometry.rotations(beamline) - self._view_axes
        self._table: tuple[object, RotationTable] | None = None
        self._pool: tuple[object, NoisePool] | None = None
        self._still: tuple[object, Reflections] | None = None

    def prepare(self, exposure: Exposure) -> None:
        """Do beforehand what the first frame like this would take the time for, but for its noise."""
        self.spots(exposure)
        self._background(exposure)

    def prepare_more(self) -> bool:
        """Draw a little of the noise of frames like the last, about a millisecond's work.

        A frame draws what it needs itself, and takes longer then: the first ones ten times as long.

        Returns:
            Whether there was anything left to do.
        """
        return self._pool is not None and self._pool[1].draw_one()

    def render(self, exposure: Exposure) -> NDArray[np.unsignedinteger]:
        """One frame, shape (slow, fast), unsigned with the bits of the exposure's depth.

        Gaps and masked pixels hold the highest value, unless the exposure leaves them as they are counted.
        8-bit frames roll over past 255.
        """
        rng = np.random.Generator(np.random.SFC64([*self._seed, exposure.series, exposure.frame]))
        frame = self._background(exposure).frame(rng)
        # Eight bits have no protection: the counter runs on as if it had sixteen, and the lower half is read.
        limit = sensor.saturation(self._detector, exposure.count_time, max(exposure.depth, 16))
        self._painter.paint(frame, self.spots(exposure), limit, rng)
        if not exposure.flattened:
            frame = sensor.unflattened(frame, self.flatfield, limit, rng)
        if exposure.masked:
            self._painter.mask(frame)
        else:
            frame[self.pixel_mask & (sensor.MaskBit.GAP | sensor.MaskBit.DEAD) != 0] = 0
        return frame

    def spots(self, exposure: Exposure) -> Reflections:
        """The reflections that a frame holds, before noise."""
        where = goniometry.middle(self._beamline, exposure)
        beam = self._crystal
        light = brightness(beam.intensity, self._wavelength(where), self._transmission(where))
        moving = goniometry.moving(self._beamline, exposure) & (self._sample_axes | self._view_axes)
        if len(moving) == 1 and moving <= self._turning:
            (motor,) = moving
            table = self._rotation_table(motor, where)
            initial = self._beamline.motor(motor).initial
            return table.frame(
                exposure.start.get(motor, initial),
                exposure.stop.get(motor, initial),
                exposure.count_time,
                light,
            )
        if moving:
            return self._snapshot(exposure, where, light)
        # Stills come in series of the same, and each costs as much as twenty frames of a rotation.
        key = (tuple(sorted(where.items())), exposure.count_time)
        if self._still is None or self._still[0] != key:
            self._still = (key, self._snapshot(exposure, where, light))
        return self._still[1]

    def _snapshot(self, exposure: Exposure, where: dict[str, float], light: float) -> Reflections:
        beam = self._crystal
        start, stop = (goniometry.positions(self._beamline, at) for at in (exposure.start, exposure.stop))
        return snapshot(
            self._lattice,
            self._optics(where),
            goniometry.motion(self._beamline, exposure),
            wavelengths=(self._wavelength(start), self._wavelength(stop)),
            rocking=beam.rocking,
            count_time=exposure.count_time,
            brightness=light,
        )

    def truth(self, exposure: Exposure) -> dict[str, Any]:
        """What is simulated, for JSON: the crystal, and beam and detector as the exposure begins.

        Lengths in mm, cell and wavelength in Angstrom, angles in degrees, energy in eV, McStas laboratory;
        orientation with every goniometer angle at zero; pixels (fast, slow) from the outer corner.
        """
        where = goniometry.positions(self._beamline, exposure.start)
        place = panel(self._beamline, self._detector, where)
        lattice, crystal = self._lattice, self._crystal
        return {
            "detector": self._detector.name,
            "seed": crystal.seed,
            "crystal": {
                "cell": list(crystal.cell),
                "space_group": lattice.group.symbol,
                "laue_group": lattice.group.laue,
                "b_factor": crystal.b_factor,
                "rocking": crystal.rocking,
                "resolution": crystal.resolution,
                "A": lattice.setting.tolist(),
                "U": lattice.unitary.tolist(),
                "B": lattice.cartesian.tolist(),
            },
            "energy": where[self._beamline.beam.energy],
            "wavelength": self._wavelength(where),
            "transmission": self._transmission(where),
            "distance": place.distance,
            "beam_distance": place.beam_distance,
            "beam_centre": list(place.beam_centre),
            "panel": {
                "origin": place.origin.tolist(),
                "fast": place.fast.tolist(),
                "slow": place.slow.tolist(),
                "pixel_size": place.pixel_size,
                "shape": list(place.shape),
            },
            "positions": where,
        }

    def _wavelength(self, where: dict[str, float]) -> float:
        return wavelength(where[self._beamline.beam.energy])

    def _transmission(self, where: dict[str, float]) -> float:
        attenuator = self._beamline.beam.attenuator
        return 1.0 if attenuator is None else max(0.0, where[attenuator])

    def _optics(self, where: dict[str, float]) -> Optics:
        return optics(
            panel(self._beamline, self._detector, where),
            self._detector,
            energy=where[self._beamline.beam.energy],
            polarization=self._beamline.beam.polarization,
            spot_size=self._crystal.spot_size,
        )

    def _view(self, where: dict[str, float]) -> tuple[tuple[str, float], ...]:
        return tuple((name, where[name]) for name in sorted(self._view_axes))

    def _rotation_table(self, motor: str, where: dict[str, float]) -> RotationTable:
        others = tuple((name, where[name]) for name in sorted(self._sample_axes - {motor}))
        key = (motor, others, self._view(where))
        if self._table is None or self._table[0] != key:
            turn = goniometry.turn(self._beamline, where, motor)
            table = RotationTable(self._lattice, self._optics(where), turn, self._crystal.rocking)
            self._table = (key, table)
        return self._table[1]

    def _background(self, exposure: Exposure) -> NoisePool:
        where = goniometry.middle(self._beamline, exposure)
        seconds = exposure.count_time * self._transmission(where)
        key = (self._view(where), seconds, exposure.depth)
        if self._pool is None or self._pool[0] != key:
            light = Light(seconds=seconds, dtype=_DTYPES[exposure.depth])
            view = self._optics(where)
            pool = NoisePool(rates(view), light, self._seed, shadow(view))
            self._pool = (key, pool)
        return self._pool[1]
