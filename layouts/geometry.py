"""Geometry of sample stage and detectors, in McStas: z along the beam, y up; mm and degrees.

A chain is the list of axes from the laboratory to the thing that stands on them. NXtransformations holds the
same chain the other way round, from the thing to the laboratory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, Detector, Motor, MotorKind

Matrix = NDArray[np.float64]

HC_EV_ANGSTROM = 12398.419843320026
"""Planck's constant times the speed of light, CODATA 2018, in eV Angstrom."""


def wavelength(energy: float) -> float:
    """Wavelength in Angstrom of photons of an energy in eV."""
    return HC_EV_ANGSTROM / energy


def unit(vector: Sequence[float] | Matrix) -> Matrix:
    """The vector at length one."""
    array = np.asarray(vector, dtype=np.float64)
    return array / np.linalg.norm(array)


def rotation(vector: Sequence[float] | Matrix, degrees: float) -> Matrix:
    """3 x 3 matrix of a right-handed turn about a vector (Rodrigues)."""
    x, y, z = unit(vector)
    angle = np.deg2rad(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def axis_chain(beamline: Beamline, end: str) -> list[Motor]:
    """Axes from the laboratory to the one named, which comes last; empty for "."."""
    chain: list[Motor] = []
    while end != ".":
        motor = beamline.motor(end)
        chain.append(motor)
        end = motor.depends_on
    return chain[::-1]


def transform(chain: Sequence[Motor], positions: Mapping[str, float]) -> Matrix:
    """4 x 4 matrix from the last axis's frame to the laboratory, in mm.

    Args:
        chain: Axes from the laboratory outwards.
        positions: Dial positions by motor name, deg or mm; an axis not named is at its initial position.
    """
    matrix = np.eye(4)
    for motor in chain:
        value = positions.get(motor.name, motor.initial)
        step = np.eye(4)
        if motor.kind is MotorKind.ROTATION:
            step[:3, :3] = rotation(motor.vector, value)
        else:
            step[:3, 3] = value * unit(motor.vector)
        matrix = matrix @ step
    return matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A flat detector somewhere in the laboratory.

    Attributes:
        origin: Outer corner of the first pixel, mm.
        fast: Unit vector of the fast pixel axis.
        slow: Unit vector of the slow pixel axis.
        pixel_size: Edge of a pixel in mm.
        shape: Pixels, (slow, fast).
    """

    origin: Matrix
    fast: Matrix
    slow: Matrix
    pixel_size: float
    shape: tuple[int, int]

    @property
    def normal(self) -> Matrix:
        """Unit vector along fast x slow."""
        return np.cross(self.fast, self.slow)

    @property
    def distance(self) -> float:
        """Shortest distance from the sample to the panel's plane, mm."""
        return float(abs(self.normal @ self.origin))

    @property
    def beam_distance(self) -> float:
        """Distance along the beam from the sample to the panel's plane, mm."""
        return float(self.normal @ self.origin / self.normal[2])

    @property
    def beam_centre(self) -> tuple[float, float]:
        """Where the direct beam meets the plane, pixels (fast, slow) from the outer corner."""
        x, y = self.pixels(np.array([[0.0, 0.0, 1.0]]))[0]
        return float(x), float(y)

    def pixels(self, rays: Matrix) -> Matrix:
        """Where rays from the sample meet the plane.

        Args:
            rays: Directions, shape (n, 3).

        Returns:
            Pixel coordinates (fast, slow) from the outer corner, shape (n, 2); NaN where a ray never does.
        """
        plane = float(self.normal @ self.origin)
        along = rays @ self.normal
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(along * plane > 0, plane / along, np.nan)
        points = rays * reach[:, None] - self.origin
        return np.stack([points @ self.fast, points @ self.slow], axis=1) / self.pixel_size

    def points(self, pixels: Matrix) -> Matrix:
        """Laboratory points in mm of pixel coordinates (fast, slow), shapes (n, 2) to (n, 3)."""
        scaled = pixels * self.pixel_size
        return self.origin + scaled[:, :1] * self.fast + scaled[:, 1:] * self.slow


def pixel_axes(detector: Detector) -> tuple[Matrix, Matrix]:
    """Unit vectors of the fast and slow pixel axes in the frame of the detector's stage, at a right angle."""
    fast = unit(detector.fast)
    slow = np.asarray(detector.slow, dtype=np.float64)
    return fast, unit(slow - (slow @ fast) * fast)


def corner(detector: Detector) -> Matrix:
    """Outer corner of the first pixel in the frame of the detector's stage, mm."""
    fast, slow = pixel_axes(detector)
    x, y = detector.beam_centre
    return -(x * fast + y * slow) * detector.spec.pixel_size * 1e3


def panel(beamline: Beamline, detector: Detector, positions: Mapping[str, float]) -> Panel:
    """The detector in the laboratory with its stage at the given positions."""
    matrix = transform(axis_chain(beamline, detector.stage), positions)
    fast, slow = pixel_axes(detector)
    return Panel(
        origin=matrix[:3, :3] @ corner(detector) + matrix[:3, 3],
        fast=matrix[:3, :3] @ fast,
        slow=matrix[:3, :3] @ slow,
        pixel_size=detector.spec.pixel_size * 1e3,
        shape=detector.spec.shape,
    )
