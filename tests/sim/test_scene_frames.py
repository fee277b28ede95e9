"""Rendered frames: noise, masks, depths, and that they come again and never repeat."""

from dataclasses import replace

import numpy as np
import pytest

from layouts.beamline import load
from sim.scenes import Exposure, Scene, sweep
from sim.scenes.background import Light, NoisePool
from sim.scenes.paint import Painter
from sim.scenes.reflections import Reflections
from sim.scenes.sensor import MaskBit, unflattened


@pytest.fixture(scope="module")
def beamline():
    whole = load()
    crystal = whole.sample.crystal.model_copy(update={"resolution": 2.6})
    return whole.model_copy(update={"sample": whole.sample.model_copy(update={"crystal": crystal})})


@pytest.fixture(scope="module")
def scene(beamline):
    return Scene(beamline, beamline.detector("EIG1"))


def exposures(count=3, **more):
    return list(sweep("omega", 0.0, 0.2, count, **more))


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (16, np.uint16), (32, np.uint32)])
def test_frames_have_the_depth_asked_for_and_masked_pixels_its_highest_value(scene, depth, dtype):
    frame = scene.render(exposures(1, depth=depth)[0])
    assert frame.shape == (1062, 1028)
    assert frame.dtype == dtype
    masked = scene.pixel_mask != 0
    assert (frame[masked] == np.iinfo(dtype).max).all()
    if depth > 8:
        assert frame[~masked].max() < np.iinfo(dtype).max - 2


def test_without_the_mask_gaps_and_dead_pixels_count_nothing_and_others_what_they_see(scene):
    (exposure,) = exposures(1)
    frame, plain = scene.render(exposure), scene.render(replace(exposure, masked=False))
    silent = scene.pixel_mask & (MaskBit.GAP | MaskBit.DEAD) != 0
    others = (scene.pixel_mask != 0) & ~silent
    assert (plain[silent] == 0).all()
    assert others.any()
    assert (plain[others] < np.iinfo(plain.dtype).max).all()
    assert np.array_equal(plain[scene.pixel_mask == 0], frame[scene.pixel_mask == 0])


@pytest.mark.parametrize("depth", [8, 16, 32])
def test_without_the_flatfield_each_pixel_counts_by_its_efficiency(scene, depth):
    corrected = np.full(scene.pixel_mask.shape, 20, np.dtype(f"uint{depth}"))
    counted = unflattened(corrected, scene.flatfield, 21, np.random.default_rng(1))
    assert counted.dtype == corrected.dtype
    assert counted.max() == 21
    weak, strong = scene.flatfield > 1.01, scene.flatfield < 0.99
    for some in (weak, strong & (scene.flatfield > 20 / 21)):
        assert counted[some].mean() == pytest.approx((20 / scene.flatfield[some]).mean(), rel=1e-3)
    (exposure,) = exposures(1, depth=depth)
    frame, plain = scene.render(exposure), scene.render(replace(exposure, flattened=False))
    masked = scene.pixel_mask != 0
    assert np.array_equal(frame[masked], plain[masked])
    assert (frame != plain).any()


def test_the_same_seed_gives_the_same_frames_in_any_order(beamline, scene):
    first = [scene.render(e) for e in exposures()]
    again = Scene(beamline, beamline.detector("EIG1"))
    again.prepare(exposures()[0])
    assert again.prepare_more()
    backwards = [again.render(e) for e in reversed(exposures())]
    assert all(np.array_equal(a, b) for a, b in zip(first, reversed(backwards), strict=True))


def test_no_frame_and_no_series_repeats_another(scene):
    at_rest = [
        Exposure(start={}, stop={}, count_time=0.01, frame=f, series=s) for s in (1, 2) for f in range(4)
    ]
    frames = [scene.render(e) for e in at_rest]
    for i, one in enumerate(frames):
        for other in frames[:i]:
            # Chance alone makes them agree where both are small numbers, never band by band.
            assert (one != other).mean() > 0.4


def test_the_mask_has_the_gap_and_as_many_bad_pixels_as_the_file_says(beamline, scene):
    mask = scene.pixel_mask
    assert mask.dtype == np.uint32
    assert (mask[512:550] == 1).all()
    assert (mask == 1).sum() == 38 * 1028
    bad = mask[mask > 1]
    assert len(bad) == beamline.detector("EIG1").bad_pixels
    assert set(bad.tolist()) <= {2, 4, 8, 16}


def test_a_mask_of_the_beamline_file_is_taken_as_it_is(beamline, tmp_path):
    detector = beamline.detector("EIG2")
    mask = np.zeros((512, 1028), np.uint32)
    mask[3, 4] = 2
    np.save(tmp_path / "mask.npy", mask)
    scene = Scene(beamline, detector.model_copy(update={"pixel_mask": tmp_path / "mask.npy"}))
    assert np.array_equal(scene.pixel_mask, mask)
    np.save(tmp_path / "mask.npy", mask[:10])
    with pytest.raises(ValueError, match=r"EIG2.*\(10, 1028\).*\(512, 1028\)"):
        Scene(beamline, detector.model_copy(update={"pixel_mask": tmp_path / "mask.npy"}))
    with pytest.raises(ValueError, match="cannot be read"):
        Scene(beamline, detector.model_copy(update={"pixel_mask": tmp_path / "none.npy"}))


def test_the_flatfield_is_near_one(scene):
    assert scene.flatfield.dtype == np.float32
    assert scene.flatfield.mean() == pytest.approx(1, abs=1e-3)
    assert 0.005 < scene.flatfield.std() < 0.03


def test_background_follows_time_attenuator_and_distance(scene):
    def level(**more):
        frame = scene.render(exposures(1, **more)[0])
        # The median of the columns' means, so that spots do not count.
        return np.median(np.where(scene.pixel_mask == 0, frame, 0)[100:200].mean(axis=0))

    bright = level(count_time=0.05, depth=32)
    assert level(count_time=0.1, depth=32) == pytest.approx(2 * bright, rel=0.03)
    assert level(count_time=0.05, depth=32, positions={"transmission": 0.5}) == pytest.approx(
        bright / 2, rel=0.06
    )
    assert level(count_time=0.05, depth=32, positions={"det_z": 200.0}) < 0.7 * bright


def test_the_beam_stop_casts_its_shadow(scene):
    exposure = exposures(1, count_time=0.05)[0]
    x, y = (int(c) for c in scene.truth(exposure)["beam_centre"])
    if scene.pixel_mask[y, x] == 0:
        assert scene.render(exposure)[y, x] == 0
    assert scene.render(exposure)[570:580, x - 3 : x + 3].mean() > 0


def test_pool_frames_are_poisson_with_the_mean_asked_for():
    rate = np.tile(np.linspace(0.5, 4.0, 512)[:, None], (1, 256))
    pool = NoisePool(rate, Light(seconds=1.0, dtype=np.dtype(np.uint16)), [1])
    rng = np.random.default_rng(4)
    frames = np.stack([pool.frame(rng) for _ in range(40)]).astype(float)
    rows = slice(200, 300)
    assert frames[:, rows].mean() == pytest.approx(rate[rows].mean(), rel=0.02)
    spread = (frames[:, rows] - rate[rows]).var()
    assert spread == pytest.approx(rate[rows].mean(), rel=0.03)


@pytest.mark.parametrize("bright", [80.0, 4000.0])
def test_spots_have_their_counts_centroid_and_width(bright):
    count = 400
    x = np.tile(np.arange(20) * 20 + 30.3, 20)
    y = np.repeat(np.arange(20) * 20 + 40.7, 20)
    spots = Reflections(
        hkl=np.zeros((count, 3), np.int32),
        x=x,
        y=y,
        sigma_x=np.full(count, 0.85),
        sigma_y=np.full(count, 1.1),
        fraction=np.ones(count),
        counts=np.full(count, bright),
    )
    frame = np.zeros((480, 480), np.uint32)
    painter = Painter(np.zeros(frame.shape, bool))
    painter.paint(frame, spots, 10**6, np.random.default_rng(1))
    total = frame.sum()
    assert total == pytest.approx(count * bright, abs=5 * np.sqrt(count * bright))
    patches = np.stack(
        [frame[int(b) - 8 : int(b) + 9, int(a) - 8 : int(a) + 9] for a, b in zip(x, y, strict=True)]
    )
    mean = patches.sum(axis=0) / patches.sum()
    centres = np.arange(-8, 9) + 0.5
    assert mean.sum(axis=0) @ centres == pytest.approx(0.3, abs=0.02)
    assert mean.sum(axis=1) @ centres == pytest.approx(0.7, abs=0.02)
    assert mean.sum(axis=0) @ (centres - 0.3) ** 2 == pytest.approx(0.85**2 + 1 / 12, rel=0.05)
    assert mean.sum(axis=1) @ (centres - 0.7) ** 2 == pytest.approx(1.1**2 + 1 / 12, rel=0.05)
    scatter = patches.sum(axis=(1, 2)).var()
    assert scatter == pytest.approx(bright, rel=0.35)


def one_spot(counts):
    one = np.ones(1)
    return Reflections(
        hkl=np.zeros((1, 3), np.int32), x=20.5 * one, y=20.5 * one, sigma_x=0.5 * one, sigma_y=0.5 * one,
        fraction=one, counts=counts * one,
    )  # fmt: skip


def test_counts_stop_at_the_cut_off_and_eight_bits_roll_over():
    painter = Painter(np.zeros((40, 40), bool))
    deep = np.zeros((40, 40), np.uint16)
    painter.paint(deep, one_spot(1e6), 50000, np.random.default_rng(2))
    assert deep.max() == 50000
    shallow = np.zeros((40, 40), np.uint8)
    painter.paint(shallow, one_spot(3e3), 50000, np.random.default_rng(2))
    true = np.zeros((40, 40), np.uint16)
    painter.paint(true, one_spot(3e3), 50000, np.random.default_rng(2))
    assert true.max() > 255
    assert np.array_equal(shallow, true.astype(np.uint8))


def test_spots_at_the_edge_are_cut_and_masked_pixels_keep_their_value():
    masked = np.zeros((40, 40), bool)
    masked[:, 20] = True
    frame = np.zeros((40, 40), np.uint16)
    painter = Painter(masked)
    painter.paint(frame, one_spot(1e4), 50000, np.random.default_rng(3))
    assert (frame[:, 20] < 65535).all()
    painter.mask(frame)
    assert (frame[:, 20] == 65535).all()
    assert frame[20, 21] > 0
    edge = one_spot(1e4)
    outside = Reflections(
        hkl=edge.hkl, x=edge.x - 21, y=edge.y - 20.5, sigma_x=edge.sigma_x, sigma_y=edge.sigma_y,
        fraction=edge.fraction, counts=edge.counts,
    )  # fmt: skip
    frame = np.zeros((40, 40), np.uint16)
    Painter(np.zeros((40, 40), bool)).paint(frame, outside, 50000, np.random.default_rng(3))
    assert frame[:4, :4].sum() == pytest.approx(1e4 * 0.5 * 0.159, rel=0.15)
    assert frame[5:, 5:].sum() == 0


def test_one_frame_draws_no_more_noise_than_it_needs(beamline):
    scene = Scene(beamline, beamline.detector("EIG1"))
    assert not scene.prepare_more()
    exposure = exposures(1)[0]
    scene.prepare(exposure)
    first = scene.render(exposure)
    pool = scene._background(exposure)
    assert len(pool._samples) == 2 * pool.bands
    ahead = 0
    while scene.prepare_more():
        ahead += 1
    assert ahead == 14 * pool.bands
    assert np.array_equal(scene.render(exposure), first)
