"""DIALS as an oracle: run its programs on a master, and compare what they find with the simulated truth.

Needs ``dials.import`` on the path, and nothing of DIALS in our own Python: here are JSON and numpy alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.conformance.dials_programs import DialsError, Limits, available, child, run, tail

__all__ = [
    "CrystalMatch",
    "DialsError",
    "Geometry",
    "Limits",
    "Offsets",
    "Processed",
    "Reflections",
    "available",
    "geometry",
    "match_crystal",
    "offsets",
    "predict",
    "process",
    "reflections",
    "run",
    "with_true_crystal",
]

Array = NDArray[np.float64]

MCSTAS_TO_DXTBX = np.diag([-1.0, 1.0, -1.0])
"""dxtbx follows imgCIF: z against the beam."""

_INDEXED = 1 << 2
"""Flag of a reflection table: has an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What DIALS makes of a master before it refines anything; McStas, mm.

    Attributes:
        origin: Outer corner of the first pixel.
        fast: Unit vector.
        slow: Unit vector.
        distance: Shortest distance to the plane, mm.
        beam_centre: Pixels (fast, slow) from the outer corner.
        wavelength: Angstrom.
        oscillation: Start and width of the first image, deg; nothing for stills.
        images: How many.
        trusted_range: Of counts.
    """

    origin: Array
    fast: Array
    slow: Array
    distance: float
    beam_centre: tuple[float, float]
    wavelength: float
    oscillation: tuple[float, float] | None
    images: int
    trusted_range: tuple[float, float]


def geometry(experiments: Path) -> Geometry:
    """Read beam, detector and scan of an .expt file."""
    models = json.loads(experiments.read_text())
    panel, beam = models["detector"][0]["panels"][0], models["beam"][0]
    origin, fast, slow = (MCSTAS_TO_DXTBX @ np.array(panel[k]) for k in ("origin", "fast_axis", "slow_axis"))
    normal = np.cross(fast, slow)
    direction = -(MCSTAS_TO_DXTBX @ np.array(beam["direction"]))
    meets = direction * (origin @ normal) / (direction @ normal) - origin
    scan = models["scan"][0] if models.get("scan") else None
    return Geometry(
        origin=origin,
        fast=fast,
        slow=slow,
        distance=float(abs(origin @ normal)),
        beam_centre=(
            float(meets @ fast / panel["pixel_size"][0]),
            float(meets @ slow / panel["pixel_size"][1]),
        ),
        wavelength=float(beam["wavelength"]),
        oscillation=tuple(scan["oscillation"]) if scan and "oscillation" in scan else None,
        images=len(scan["exposure_time"]) if scan else len(models["experiment"]),
        trusted_range=tuple(panel["trusted_range"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflections:
    """A reflection table; arrays of n, or of no length where the table has no such column.

    Attributes:
        hkl: Indices, shape (n, 3).
        calculated: Predicted centroid: x, y in pixels, z in images from the first, shape (n, 3).
        observed: Observed centroid likewise.
        counts: Summed intensity.
        flags: DIALS' flags.
    """

    hkl: NDArray[np.int64]
    calculated: Array
    observed: Array
    counts: Array
    flags: NDArray[np.int64]

    @property
    def indexed(self) -> NDArray[np.bool_]:
        """Which have an index."""
        return (self.flags & _INDEXED) != 0


def reflections(table: Path) -> Reflections:
    """Read a .refl file."""
    target = table.with_suffix(".npz")
    child("columns", str(table), str(target), folder=table.parent)
    with np.load(target) as columns:
        return Reflections(**{name: columns[name] for name in Reflections.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class CrystalMatch:
    """A crystal that DIALS found beside the one that was simulated.

    Attributes:
        cell: Found, in the setting of the simulated one: Angstrom and degrees, shape (6,).
        cell_error: Largest differences of (lengths, angles).
        misorientation: Degrees between the two, modulo the lattice's symmetry.
        reindex: Turns an index found into one of the simulated crystal, shape (3, 3).
    """

    cell: Array
    cell_error: tuple[float, float]
    misorientation: float
    reindex: Array


def match_crystal(experiments: Path, truth: Mapping[str, Any]) -> CrystalMatch:
    """Compare the crystal in an .expt file with the truth that a scene tells.

    Raises:
        DialsError: The two have no lattice in common.
    """
    model = json.loads(experiments.read_text())["crystal"][0]
    direct = np.array([model[f"real_space_{edge}"] for edge in "abc"])
    found = MCSTAS_TO_DXTBX @ np.linalg.inv(direct)
    simulated = np.array(truth["crystal"]["A"])
    exact = np.linalg.solve(simulated, found)
    # Centred lattices have halves and thirds where DIALS takes a primitive cell.
    reindex = np.round(exact * 6) / 6
    if np.abs(exact - reindex).max() > 0.05 or abs(np.linalg.det(reindex)) < 1e-3:
        raise DialsError(f"found no relation to the simulated lattice:\n{exact}")
    actual = found @ np.linalg.inv(reindex)
    left, _, right = np.linalg.svd(actual @ np.linalg.inv(simulated))
    turn = left @ right
    cosine = np.clip((np.trace(turn) - 1) / 2, -1, 1)
    cell = _cell(actual)
    difference = np.abs(cell - np.array(truth["crystal"]["cell"]))
    return CrystalMatch(
        cell=cell,
        cell_error=(float(difference[:3].max()), float(difference[3:].max())),
        misorientation=float(np.rad2deg(np.arccos(cosine))),
        reindex=reindex,
    )


def _cell(setting: Array) -> Array:
    edges = np.linalg.inv(setting)
    lengths = np.linalg.norm(edges, axis=1)
    angles = [
        np.rad2deg(np.arccos(edges[i] @ edges[j] / lengths[i] / lengths[j]))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    return np.array([*lengths, *angles])


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """What the programs left, in order, as far as they were run.

    Attributes:
        folder: Where all files are.
        imported: Geometry as read.
        refined: Geometry as refined.
        strong: Spots found.
        indexed: Of these, share with an index.
        spots_per_image: Strong spots by image, shape (images,).
        crystal: As refined, beside the truth.
        space_group: Recommended by dials.symmetry; empty if it was not run.
        cc_half: Overall, after scaling; NaN if it was not run.
        r_merge: Overall.
    """

    folder: Path
    imported: Geometry
    refined: Geometry
    strong: int
    indexed: float
    spots_per_image: NDArray[np.int64]
    crystal: CrystalMatch
    space_group: str = ""
    cc_half: float = float("nan")
    r_merge: float = float("nan")


def process(
    master: Path,
    folder: Path,
    truth: Mapping[str, Any],
    *,
    scale: bool = True,
    limits: Limits | None = None,
    find_spots: Sequence[str] = (),
) -> Processed:
    """Import, find spots, index, refine, and if asked integrate and scale; no cell or space group given.

    Args:
        master: The file.
        folder: Where to work; must exist.
        truth: What was simulated.
        scale: Go on to integrate, find the symmetry and scale.
        limits: Of each program.
        find_spots: More arguments for dials.find_spots.

    Raises:
        DialsError: A program failed.
    """

    def step(program: str, *arguments: str) -> str:
        return run(program, *arguments, folder=folder, limits=limits)

    step("dials.import", str(master.resolve()))
    step("dials.find_spots", "imported.expt", "nproc=2", *find_spots)
    step("dials.index", "imported.expt", "strong.refl")
    step("dials.refine", "indexed.expt", "indexed.refl")
    imported = geometry(folder / "imported.expt")
    table = reflections(folder / "indexed.refl")
    image = np.floor(table.observed[:, 2]).astype(np.int64)
    merged: dict[str, Any] = {}
    if scale:
        step("dials.integrate", "refined.expt", "refined.refl", "nproc=2")
        text = step("dials.symmetry", "integrated.expt", "integrated.refl")
        merged["space_group"] = _found(text, r"Recommended space group: (.+)").strip()
        text = step("dials.scale", "symmetrized.expt", "symmetrized.refl")
        merged["cc_half"] = float(_found(text, r"\nCC half .* ([\d.]+)\n"))
        merged["r_merge"] = float(_found(text, r"\nRmerge\(I\) .* ([\d.]+)\n"))
    return Processed(
        folder=folder,
        imported=imported,
        refined=geometry(folder / "refined.expt"),
        strong=len(table.flags),
        indexed=float(table.indexed.mean()),
        spots_per_image=np.bincount(np.clip(image, 0, None), minlength=imported.images),
        crystal=match_crystal(folder / "refined.expt", truth),
        **merged,
    )


def _found(text: str, pattern: str) -> str:
    matched = re.search(pattern, text)
    if matched is None:
        raise DialsError(f"nothing like {pattern!r} in what DIALS printed:\n{tail(text)}")
    return matched[1]


def predict(experiments: Path, folder: Path, *, d_min: float = 2.0) -> Reflections:
    """Where dials.predict expects the reflections of an .expt file with a crystal."""
    target = folder / f"predicted_{experiments.stem}.refl"
    run("dials.predict", str(experiments), f"output={target}", f"d_min={d_min}", folder=folder)
    return reflections(target)


def with_true_crystal(experiments: Path, truth: Mapping[str, Any], target: Path) -> Path:
    """An .expt file with the geometry of the one given and the simulated crystal put in.

    What DIALS predicts from it tests the geometry in the master alone: nothing has been refined.
    """
    models = json.loads(experiments.read_text())
    direct = np.linalg.inv(MCSTAS_TO_DXTBX @ np.array(truth["crystal"]["A"]))
    edges = {f"real_space_{name}": list(edge) for name, edge in zip("abc", direct, strict=True)}
    models["crystal"] = [{"__id__": "crystal", **edges, "space_group_hall_symbol": " P 1"}]
    for experiment in models["experiment"]:
        experiment["crystal"] = 0
    target.write_text(json.dumps(models))
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """Rendered spots beside predicted ones, rendered minus predicted.

    Attributes:
        x: Pixels along fast, shape (n,).
        y: Along slow.
        matched: Share of the rendered ones that a prediction was found for.
    """

    x: Array
    y: Array
    matched: float

    @property
    def mean(self) -> float:
        """Length of the mean offset, pixels."""
        return float(np.hypot(self.x.mean(), self.y.mean()))

    @property
    def rms(self) -> tuple[float, float]:
        """Root mean square along fast and slow, pixels."""
        return float(np.sqrt(np.mean(self.x**2))), float(np.sqrt(np.mean(self.y**2)))


def offsets(
    predicted: Reflections, hkl: NDArray[Any], position: Array, reindex: Array | None = None
) -> Offsets:
    """Compare rendered centroids with predicted ones.

    Args:
        predicted: By DIALS.
        hkl: Indices of rendered reflections in the simulated crystal's setting, shape (n, 3).
        position: x and y in pixels and the image number where each is brightest, shape (n, 3).
        reindex: From DIALS' setting to the simulated one; the same setting if not given.
    """
    matrix = np.eye(3) if reindex is None else reindex
    theirs = np.round(predicted.hkl @ matrix.T).astype(np.int64)
    places: dict[tuple[int, ...], list[Array]] = {}
    for index, place in zip(theirs.tolist(), predicted.calculated, strict=True):
        places.setdefault(tuple(index), []).append(place)
    found: list[Array] = []
    for index, place in zip(np.asarray(hkl).tolist(), position, strict=True):
        candidates = places.get(tuple(index), [])
        near = min(candidates, key=lambda c: abs(c[2] - place[2]), default=None)
        if near is not None and abs(near[2] - place[2]) < 3 and np.hypot(*(near - place)[:2]) < 10:
            found.append(place[:2] - near[:2])
    if not found:
        raise DialsError("none of the rendered spots was predicted")
    difference = np.array(found)
    return Offsets(x=difference[:, 0], y=difference[:, 1], matched=len(found) / len(position))
