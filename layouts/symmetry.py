"""Space groups of chiral crystals: operations, absences and equivalents, from their Hall symbols.

The 65 groups that proteins crystallise in, by number and Hermann-Mauguin symbol of International Tables A;
operations are generated from the Hall symbols of International Tables B, appendix A1.4.2.
Reflections are rows: an operation x' = Rx + t sends h to hR and turns its phase by -2 pi h.t.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Truths = NDArray[np.bool_]

_TWELVE = 12
"""Translations are counted in twelfths of a cell edge: halves, thirds, quarters and sixths are whole."""

_HALL: tuple[tuple[int, str, str], ...] = (
    (1, "P 1", "P 1"),
    (3, "P 1 2 1", "P 2y"),
    (4, "P 1 21 1", "P 2yb"),
    (5, "C 1 2 1", "C 2y"),
    (16, "P 2 2 2", "P 2 2"),
    (17, "P 2 2 21", "P 2c 2"),
    (18, "P 21 21 2", "P 2 2ab"),
    (19, "P 21 21 21", "P 2ac 2ab"),
    (20, "C 2 2 21", "C 2c 2"),
    (21, "C 2 2 2", "C 2 2"),
    (22, "F 2 2 2", "F 2 2"),
    (23, "I 2 2 2", "I 2 2"),
    (24, "I 21 21 21", "I 2b 2c"),
    (75, "P 4", "P 4"),
    (76, "P 41", "P 4w"),
    (77, "P 42", "P 4c"),
    (78, "P 43", "P 4cw"),
    (79, "I 4", "I 4"),
    (80, "I 41", "I 4bw"),
    (89, "P 4 2 2", "P 4 2"),
    (90, "P 4 21 2", "P 4ab 2ab"),
    (91, "P 41 2 2", "P 4w 2c"),
    (92, "P 41 21 2", "P 4abw 2nw"),
    (93, "P 42 2 2", "P 4c 2"),
    (94, "P 42 21 2", "P 4n 2n"),
    (95, "P 43 2 2", "P 4cw 2c"),
    (96, "P 43 21 2", "P 4nw 2abw"),
    (97, "I 4 2 2", "I 4 2"),
    (98, "I 41 2 2", "I 4bw 2bw"),
    (143, "P 3", "P 3"),
    (144, "P 31", "P 31"),
    (145, "P 32", "P 32"),
    (146, "R 3", "R 3"),
    (149, "P 3 1 2", "P 3 2"),
    (150, "P 3 2 1", 'P 3 2"'),
    (151, "P 31 1 2", "P 31 2c (0 0 1)"),
    (152, "P 31 2 1", 'P 31 2"'),
    (153, "P 32 1 2", "P 32 2c (0 0 -1)"),
    (154, "P 32 2 1", 'P 32 2"'),
    (155, "R 3 2", 'R 3 2"'),
    (168, "P 6", "P 6"),
    (169, "P 61", "P 61"),
    (170, "P 65", "P 65"),
    (171, "P 62", "P 62"),
    (172, "P 64", "P 64"),
    (173, "P 63", "P 6c"),
    (177, "P 6 2 2", "P 6 2"),
    (178, "P 61 2 2", "P 61 2 (0 0 -1)"),
    (179, "P 65 2 2", "P 65 2 (0 0 1)"),
    (180, "P 62 2 2", "P 62 2c (0 0 1)"),
    (181, "P 64 2 2", "P 64 2c (0 0 -1)"),
    (182, "P 63 2 2", "P 6c 2c"),
    (195, "P 2 3", "P 2 2 3"),
    (196, "F 2 3", "F 2 2 3"),
    (197, "I 2 3", "I 2 2 3"),
    (198, "P 21 3", "P 2ac 2ab 3"),
    (199, "I 21 3", "I 2b 2c 3"),
    (207, "P 4 3 2", "P 4 2 3"),
    (208, "P 42 3 2", "P 4n 2 3"),
    (209, "F 4 3 2", "F 4 2 3"),
    (210, "F 41 3 2", "F 4d 2 3"),
    (211, "I 4 3 2", "I 4 2 3"),
    (212, "P 43 3 2", "P 4acd 2ab 3"),
    (213, "P 41 3 2", "P 4bd 2ab 3"),
    (214, "I 41 3 2", "I 4bd 2c 3"),
)

_SHORT = {"P 2": "P 1 2 1", "P 21": "P 1 21 1", "C 2": "C 1 2 1"}

KNOWN: tuple[str, ...] = tuple(symbol for _, symbol, _ in _HALL)
"""Symbols of the groups there are."""

_LAUE = (
    (1, "-1"),
    (5, "2/m"),
    (24, "mmm"),
    (80, "4/m"),
    (98, "4/mmm"),
    (146, "-3"),
    (155, "-3m"),
    (173, "6/m"),
    (182, "6/mmm"),
    (199, "m-3"),
    (214, "m-3m"),
)

_CENTRING: dict[str, tuple[tuple[int, int, int], ...]] = {
    "P": (),
    "C": ((6, 6, 0),),
    "I": ((6, 6, 6),),
    "F": ((0, 6, 6), (6, 0, 6), (6, 6, 0)),
    "R": ((8, 4, 4), (4, 8, 8)),
}

_ROTATIONS: dict[tuple[int, str], tuple[tuple[int, int, int], ...]] = {
    (1, "z"): ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    (2, "x"): ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    (2, "y"): ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    (2, "z"): ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    (2, "'"): ((0, -1, 0), (-1, 0, 0), (0, 0, -1)),
    (2, '"'): ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
    (3, "z"): ((0, -1, 0), (1, -1, 0), (0, 0, 1)),
    (3, "*"): ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    (4, "z"): ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    (6, "z"): ((1, -1, 0), (1, 0, 0), (0, 0, 1)),
}

_SHIFTS: dict[str, tuple[int, int, int]] = {
    "a": (6, 0, 0),
    "b": (0, 6, 0),
    "c": (0, 0, 6),
    "n": (6, 6, 6),
    "u": (3, 0, 0),
    "v": (0, 3, 0),
    "w": (0, 0, 3),
    "d": (3, 3, 3),
}

_OPERATION = re.compile(r"([12346])([xyz'\"*]?)([1-5]?)([abcnuvwd]*)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpaceGroup:
    """A space group as its operations.

    Attributes:
        number: Of International Tables.
        symbol: Hermann-Mauguin, spaced: "P 43 21 2".
        laue: Laue class, "4/mmm".
        rotations: Rotation parts of all operations, shape (n, 3, 3); those of centring included.
        translations: Their translations in twelfths, shape (n, 3).
    """

    number: int
    symbol: str
    laue: str
    rotations: Integers
    translations: Integers

    @property
    def point_group(self) -> Integers:
        """The distinct rotation parts, shape (m, 3, 3)."""
        return np.unique(self.rotations, axis=0)

    def absent(self, hkl: Integers) -> Truths:
        """Which reflections, shape (n, 3), the group extinguishes."""
        found = np.zeros(len(hkl), dtype=np.bool_)
        for turn, shift in zip(self.rotations, self.translations, strict=True):
            if shift.any():
                found |= (hkl @ turn == hkl).all(axis=1) & (hkl @ shift % _TWELVE != 0)
        return found

    def centric(self, hkl: Integers) -> Truths:
        """Which reflections have a Friedel mate among their equivalents, so a phase of two values only."""
        found = np.zeros(len(hkl), dtype=np.bool_)
        for turn in self.point_group:
            found |= (hkl @ turn == -hkl).all(axis=1)
        return found

    def multiplicity(self, hkl: Integers) -> Integers:
        """How many rotations leave each reflection as it is; its mean intensity is that many times higher."""
        found = np.zeros(len(hkl), dtype=np.int32)
        for turn in self.point_group:
            found += (hkl @ turn == hkl).all(axis=1)
        return found

    def representative(self, hkl: Integers) -> Integers:
        """One index for all Laue equivalents of each reflection, Friedel mates included, shape (n, 3)."""
        best, best_key = hkl, _key(hkl)
        for turn in self.point_group:
            for mate in (hkl @ turn, -(hkl @ turn)):
                key = _key(mate)
                better = key > best_key
                best = np.where(better[:, None], mate, best)
                best_key = np.where(better, key, best_key)
        return best.astype(np.int32)

    def fits(self, cell: Sequence[float]) -> bool:
        """Whether a cell (Angstrom, degrees) has the group's lattice: every rotation must keep its metric."""
        a, b, c = cell[:3]
        alpha, beta, gamma = np.cos(np.deg2rad(np.asarray(cell[3:], dtype=np.float64)))
        metric = np.array(
            [[a * a, a * b * gamma, a * c * beta], [0, b * b, b * c * alpha], [0, 0, c * c]], dtype=np.float64
        )
        metric += np.triu(metric, 1).T
        scale = 1e-4 * float(np.max(metric))
        turned = (turn.T @ metric @ turn for turn in self.point_group)
        return all(np.allclose(other, metric, atol=scale, rtol=0) for other in turned)


def _key(hkl: Integers) -> NDArray[np.int64]:
    wide = hkl.astype(np.int64) + (1 << 19)
    return (wide[:, 0] << 40) + (wide[:, 1] << 20) + wide[:, 2]


@cache
def space_group(symbol: str) -> SpaceGroup:
    """The group of a Hermann-Mauguin symbol; blanks do not matter.

    Raises:
        ValueError: The symbol is not one of KNOWN; says which there are.
    """
    wanted = symbol.replace(" ", "").upper()
    for short, long in _SHORT.items():
        if wanted == short.replace(" ", ""):
            wanted = long.replace(" ", "")
    for number, known, hall in _HALL:
        if known.replace(" ", "") == wanted:
            turns, shifts = _operations(hall)
            laue = next(name for last, name in _LAUE if number <= last)
            return SpaceGroup(number=number, symbol=known, laue=laue, rotations=turns, translations=shifts)
    known = ", ".join(KNOWN)
    raise ValueError(f"{symbol!r} is no chiral space group in its standard setting; known: {known}")


def _operations(hall: str) -> tuple[Integers, Integers]:
    """All operations of a Hall symbol: its generators multiplied until nothing new comes."""
    text, _, base = hall.partition("(")
    centring, *words = text.split()
    origin = np.array([int(v) for v in base.rstrip(")").split()] or [0, 0, 0], dtype=np.int32)
    identity = np.eye(3, dtype=np.int32)
    generators = [(identity, np.array(shift, dtype=np.int32)) for shift in _CENTRING[centring]]
    previous = 0
    for word in words:
        turn, shift, previous = _generator(word, previous)
        generators.append((turn, (shift + origin - turn @ origin) % _TWELVE))
    found = {_signature(identity, np.zeros(3, dtype=np.int32)): (identity, np.zeros(3, dtype=np.int32))}
    fresh = list(found.values())
    while fresh:
        products = [(g @ r, (g @ t + s) % _TWELVE) for r, t in fresh for g, s in generators]
        fresh: list[tuple[Integers, Integers]] = []
        for turn, shift in products:
            signature = _signature(turn, shift)
            if signature not in found:
                found[signature] = (turn, shift)
                fresh.append((turn, shift))
    return np.array([r for r, _ in found.values()]), np.array([t for _, t in found.values()])


def _generator(word: str, previous: int) -> tuple[Integers, Integers, int]:
    match = _OPERATION.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} is no operation of a Hall symbol")
    fold, axis, screw, letters = int(match[1]), match[2], match[3], match[4]
    if not axis:
        # An operation that names no axis has one by its place behind the one before.
        axis = {(2, 2): "x", (4, 2): "x", (3, 2): "'", (6, 2): "'", (2, 3): "*"}.get((previous, fold), "z")
    shift = np.zeros(3, dtype=np.int32)
    for letter in letters:
        shift += np.array(_SHIFTS[letter], dtype=np.int32)
    if screw:
        shift[2] += int(screw) * _TWELVE // fold
    return np.array(_ROTATIONS[fold, axis], dtype=np.int32), shift % _TWELVE, fold


def _signature(turn: Integers, shift: Integers) -> bytes:
    return turn.astype(np.int8).tobytes() + shift.astype(np.int8).tobytes()
