"""Geometry against what can be worked out by hand, and its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts import beamline, geometry

angles = st.floats(-720, 720)
vectors = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3)


@given(vectors, angles)
def test_rotation_is_proper_and_leaves_its_axis(vector, angle):
    r = geometry.rotation(vector, angle)
    assert np.allclose(r @ r.T, np.eye(3))
    assert np.isclose(np.linalg.det(r), 1)
    assert np.allclose(r @ geometry.unit(vector), geometry.unit(vector))


def test_right_handed():
    assert np.allclose(geometry.rotation((0, 0, 1), 90) @ [1, 0, 0], [0, 1, 0])


def test_chain_runs_from_the_laboratory_outwards():
    b = beamline.load()
    names = [m.name for m in geometry.axis_chain(b, "sam_z")]
    assert names == ["omega", "kappa", "phi", "sam_x", "sam_y", "sam_z"]
    assert geometry.axis_chain(b, ".") == []


def test_ideal_detector_by_hand():
    b = beamline.load()
    detector = b.detectors[0].model_copy(
        update={
            "stage": ".",
            "fast": (-1.0, 0.0, 0.0),
            "slow": (0.0, -1.0, 0.0),
            "beam_centre": (100.0, 200.0),
        }
    )
    assert np.allclose(geometry.corner(detector), [7.5, 15.0, 0.0])


def test_moving_the_stage_moves_the_panel_along_its_axis():
    b = beamline.load()
    near, far = (geometry.panel(b, b.detectors[0], {"det_z": z}) for z in (120.0, 220.0))
    step = far.origin - near.origin
    assert np.allclose(step, 100 * geometry.unit(b.motor("det_z").vector))
    assert far.distance - near.distance == pytest.approx(100, abs=0.01)


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(80, 800))
def test_pixels_and_points_are_inverse(x, y, z):
    b = beamline.load()
    panel = geometry.panel(b, b.detectors[0], {"det_z": z})
    pixel = np.array([[x, y]])
    assert np.allclose(panel.pixels(panel.points(pixel)), pixel, atol=1e-6)


def test_beam_centre_is_where_the_beam_meets_the_plane():
    b = beamline.load()
    panel = geometry.panel(b, b.detectors[0], {})
    point = panel.points(np.array([panel.beam_centre]))[0]
    assert np.allclose(point[:2], 0, atol=1e-9)
    assert point[2] == pytest.approx(panel.beam_distance)


def test_wavelength_of_copper():
    assert geometry.wavelength(8047.8) == pytest.approx(1.5406, abs=1e-4)
