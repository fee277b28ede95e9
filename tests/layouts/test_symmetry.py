"""Space groups: what every group must obey, and absences that the Tables list."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.beamline import BeamlineError, default_text, parse
from layouts.symmetry import KNOWN, space_group

ORDER = {"-1": 1, "2/m": 2, "mmm": 4, "4/m": 4, "4/mmm": 8, "-3": 3, "-3m": 6, "6/m": 6, "6/mmm": 12}
ORDER |= {"m-3": 12, "m-3m": 24}
LATTICE_POINTS = {"P": 1, "C": 2, "I": 2, "F": 4, "R": 3}
BLOCK = np.array([[h, k, ell] for h in range(-6, 7) for k in range(-6, 7) for ell in range(-6, 7)], np.int32)


@pytest.mark.parametrize("symbol", KNOWN)
def test_every_group_is_a_group_of_the_right_order(symbol):
    group = space_group(symbol)
    assert len(group.rotations) == ORDER[group.laue] * LATTICE_POINTS[symbol[0]]
    assert all(round(np.linalg.det(turn)) == 1 for turn in group.rotations)
    known = {(r.tobytes(), t.tobytes()) for r, t in zip(group.rotations, group.translations, strict=True)}
    for r, t in zip(group.rotations, group.translations, strict=True):
        product = (group.rotations[-1] @ r, (group.rotations[-1] @ t + group.translations[-1]) % 12)
        assert (product[0].tobytes(), product[1].tobytes()) in known


@settings(max_examples=25, deadline=None)
@given(symbol=st.sampled_from(KNOWN), index=st.tuples(*[st.integers(-30, 30)] * 3))
def test_equivalents_have_one_representative_and_are_absent_together(symbol, index):
    group = space_group(symbol)
    hkl = np.array([index], np.int32)
    mates = np.concatenate([sign * (hkl @ turn) for turn in group.point_group for sign in (1, -1)])
    assert len(np.unique(group.representative(mates), axis=0)) == 1
    assert len(np.unique(group.absent(mates))) == 1
    assert len(np.unique(group.centric(mates))) == 1
    assert len(np.unique(group.multiplicity(mates))) == 1


@pytest.mark.parametrize(
    ("symbol", "rule"),
    [
        ("P 1", lambda *_: False),
        (
            "P 21 21 21",
            lambda h, k, ell: (
                (k == ell == 0 and h % 2) or (h == ell == 0 and k % 2) or (h == k == 0 and ell % 2)
            ),
        ),
        (
            "P 43 21 2",
            lambda h, k, ell: (
                (h == k == 0 and ell % 4) or (k == ell == 0 and h % 2) or (h == ell == 0 and k % 2)
            ),
        ),
        ("P 61 2 2", lambda h, k, ell: h == k == 0 and ell % 6),
        ("C 2 2 21", lambda h, k, ell: (h + k) % 2 or (h == k == 0 and ell % 2)),
        ("I 2 3", lambda h, k, ell: (h + k + ell) % 2),
        ("F 2 3", lambda h, k, ell: len({h % 2, k % 2, ell % 2}) == 2),
        ("R 3 2", lambda h, k, ell: (-h + k + ell) % 3),
    ],
)
def test_absences_are_exactly_those_of_the_tables(symbol, rule):
    expected = np.array([bool(rule(*map(int, index))) for index in BLOCK])
    assert np.array_equal(space_group(symbol).absent(BLOCK), expected)


def test_enantiomorphs_differ_in_no_absence():
    for one, other in (("P 41 21 2", "P 43 21 2"), ("P 31 2 1", "P 32 2 1"), ("P 61", "P 65")):
        assert np.array_equal(space_group(one).absent(BLOCK), space_group(other).absent(BLOCK))


@pytest.mark.parametrize(
    ("text", "symbol"), [("P43212", "P 43 21 2"), ("p 21", "P 1 21 1"), ("C2", "C 1 2 1")]
)
def test_symbols_are_found_however_they_are_spaced(text, symbol):
    assert space_group(text).symbol == symbol


def test_an_unknown_symbol_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=r"'P 21/c' is no chiral space group.*P 43 21 2"):
        space_group("P 21/c")


@pytest.mark.parametrize(
    ("symbol", "cell", "fits"),
    [
        ("P 43 21 2", (78.1, 78.1, 37.2, 90, 90, 90), True),
        ("P 43 21 2", (78.1, 78.3, 37.2, 90, 90, 90), False),
        ("P 61 2 2", (80, 80, 110, 90, 90, 120), True),
        ("P 61 2 2", (80, 80, 110, 90, 90, 90), False),
        ("P 1 21 1", (40, 50, 60, 90, 101, 90), True),
        ("P 1 21 1", (40, 50, 60, 95, 101, 90), False),
        ("P 1", (40, 50, 60, 95, 101, 83), True),
        ("I 2 3", (95, 95, 95, 90, 90, 90), True),
    ],
)
def test_a_cell_fits_when_the_operations_keep_it(symbol, cell, fits):
    assert space_group(symbol).fits(cell) is fits


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ('"P 43 21 2"', '"P 43 21 3"', r"sample\.crystal\.space_group: 'P 43 21 3' is no chiral space group"),
        ("[78.1, 78.1, 37.2", "[78.1, 78.2, 37.2", r"sample\.crystal\.cell: .* no lattice of P 43 21 2"),
    ],
)
def test_the_beamline_file_is_checked_for_both(old, new, finding):
    with pytest.raises(BeamlineError, match=finding):
        parse(default_text().replace(old, new))
