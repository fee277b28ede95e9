"""Statistics against a plain reading of NDPluginStats' formulas: loops over pixels, nothing clever."""

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from writer.preview import statistics
from writer.preview.pixels import Pixels, marked, unmarked

TYPES = st.sampled_from([np.uint8, np.uint16, np.uint32])
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


@st.composite
def frames(draw):
    """Frames with few counts, some of them masked."""
    dtype = draw(TYPES)
    top = int(np.iinfo(dtype).max)
    counts = st.one_of(st.integers(0, 40), st.sampled_from([top, top - 1, top - 2]))
    return draw(arrays.arrays(dtype, draw(SHAPES), elements=counts))


def good(data: np.ndarray) -> list[tuple[int, int, float]]:
    """(x, y, value) of the pixels that are not masked, in the order of memory."""
    limit = int(np.iinfo(data.dtype).max) - 1
    return [(x, y, float(v)) for (y, x), v in np.ndenumerate(data) if v < limit]


@given(frames())
def test_masked_pixels_are_the_two_greatest_values(data):
    pixels = marked(data)
    assert pixels.valid == len(good(data))
    assert pixels.left_out == data.size - pixels.valid
    assert unmarked(pixels).valid == data.size


@given(frames(), st.integers(0, 4))
def test_basic_statistics(data, rim):
    found = statistics.basic(marked(data), rim)
    pixels = good(data)
    if not pixels:
        assert set(found.values()) == {0.0}
        return
    values = [v for *_, v in pixels]
    least = min(pixels, key=lambda p: p[2])
    greatest = max(pixels, key=lambda p: p[2])
    total, mean = sum(values), sum(values) / len(values)
    slow, fast = data.shape
    edge = [v for x, y, v in pixels if x < rim]
    edge += [v for x, y, v in pixels if x >= fast - rim]
    edge += [v for x, y, v in pixels if y < rim]
    edge += [v for x, y, v in pixels if y >= slow - rim]
    background = sum(edge) / max(len(edge), 1)
    assert found == pytest.approx(
        {
            "MinX": least[0],
            "MinY": least[1],
            "MinValue": least[2],
            "MaxX": greatest[0],
            "MaxY": greatest[1],
            "MaxValue": greatest[2],
            "MeanValue": mean,
            "Sigma": math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)),
            "Total": total,
            "Net": total - background * len(values),
        },
        rel=1e-9,
        abs=1e-6,
    )


def test_a_frame_that_is_computed_in_several_bands():
    data = np.random.default_rng(3).poisson(5, (700, 500)).astype(np.uint32)
    data[:, 100:110] = 2**32 - 1
    data[600, 300], data[650, 20], data[5, 7] = 900, 900, 800
    good = data[data < 2**32 - 2].astype(float)
    found = statistics.basic(marked(data), 0)
    assert (found["MaxX"], found["MaxY"], found["MaxValue"]) == (300, 600, 900)
    assert (found["Total"], found["Net"]) == (good.sum(), good.sum())
    assert (found["MeanValue"], found["Sigma"]) == pytest.approx((good.mean(), good.std()), rel=1e-12)


def by_hand(data: np.ndarray, threshold: float) -> dict[str, float]:
    """NDPluginStats' centroid from raw moments, as it stands there."""
    names = "CentroidTotal CentroidX CentroidY SigmaX SigmaY SigmaXY SkewX SkewY KurtosisX KurtosisY"
    found = dict.fromkeys([*names.split(), "Eccentricity", "Orientation"], 0.0)
    kept = [(x, y, v) for x, y, v in good(data) if v >= threshold]
    m00 = math.fsum(v for *_, v in kept)
    if m00 <= 0:
        return found
    m = {(i, j): math.fsum(v * x**i * y**j for x, y, v in kept) for i in range(5) for j in range(5)}
    mu20, mu02 = m[2, 0] - m[1, 0] ** 2 / m00, m[0, 2] - m[0, 1] ** 2 / m00
    mu11 = m[1, 1] - m[1, 0] * m[0, 1] / m00
    found |= {"CentroidTotal": m00, "CentroidX": m[1, 0] / m00, "CentroidY": m[0, 1] / m00}
    variance = {"X": mu20 / m00, "Y": mu02 / m00}
    for axis, i in (("X", (1, 0)), ("Y", (0, 1))):
        m1, m2, m3, m4 = (m[i[0] * n, i[1] * n] for n in (1, 2, 3, 4))
        third = m3 - 3 * m1 * m2 / m00 + 2 * m1**3 / m00**2
        fourth = m4 - 4 * m3 * m1 / m00 + 6 * m2 * m1**2 / m00**2 - 3 * m1**4 / m00**3
        if variance[axis] > 1e-9:
            found[f"Sigma{axis}"] = math.sqrt(variance[axis])
            found[f"Skew{axis}"] = third / (m00 * variance[axis] ** 1.5)
            found[f"Kurtosis{axis}"] = fourth / (m00 * variance[axis] ** 2) - 3.0
    if min(variance.values()) > 1e-9:
        found["SigmaXY"] = mu11 / m00 / math.sqrt(variance["X"] * variance["Y"])
    if sum(variance.values()) > 1e-9:
        found["Eccentricity"] = ((mu20 - mu02) ** 2 - 4 * mu11**2) / (mu20 + mu02) ** 2
    found["Orientation"] = math.degrees(0.5 * math.atan2(2 * mu11 / m00, variance["X"] - variance["Y"]))
    return found


@given(frames(), st.integers(0, 50))
def test_centroid(data, threshold):
    data[data > 60] = np.iinfo(data.dtype).max  # raw moments of greater values lose their digits
    found = statistics.centroid(marked(data), threshold).values
    wanted = by_hand(data, threshold)
    angle = abs(found.pop("Orientation") - wanted.pop("Orientation")) % 180
    nearly_round = abs(found["SigmaX"] - found["SigmaY"]) < 1e-3 and abs(found["SigmaXY"]) < 1e-3
    assert nearly_round or min(angle, 180 - angle) < 1e-3
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def test_a_spot_has_the_shape_it_was_made_with():
    y, x = np.mgrid[0:200, 0:300].astype(float)
    turned = math.radians(30)
    along = (x - 150) * math.cos(turned) + (y - 90) * math.sin(turned)
    across = -(x - 150) * math.sin(turned) + (y - 90) * math.cos(turned)
    spot = 1e4 * np.exp(-0.5 * ((along / 12) ** 2 + (across / 5) ** 2))
    found = statistics.centroid(Pixels(spot), 0.0).values
    assert (found["CentroidX"], found["CentroidY"]) == pytest.approx((150, 90), abs=1e-6)
    assert found["Orientation"] == pytest.approx(30, abs=0.01)
    assert (found["SkewX"], found["KurtosisX"]) == pytest.approx((0, 0), abs=0.01)
    a, b = 12**2, 5**2
    assert found["SigmaX"] ** 2 == pytest.approx(a * 0.75 + b * 0.25, rel=1e-3)
    assert found["SigmaY"] ** 2 == pytest.approx(a * 0.25 + b * 0.75, rel=1e-3)


@given(frames(), st.integers(0, 20), st.integers(-3, 12), st.integers(-3, 12))
def test_profiles(data, threshold, x, y):
    pixels = marked(data)
    found = statistics.centroid(pixels, threshold)
    shown = {(x_, y_): v for x_, y_, v in good(data)}
    slow, fast = data.shape
    for column in range(fast):
        line = [shown[column, row] for row in range(slow) if (column, row) in shown]
        assert found.profiles["ProfileAverageX"][column] == pytest.approx(sum(line) / max(len(line), 1))
        over = sum(v for v in line if v >= threshold)
        assert found.profiles["ProfileThresholdX"][column] == pytest.approx(over / max(len(line), 1))
    for row in range(slow):
        line = [shown[column, row] for column in range(fast) if (column, row) in shown]
        assert found.profiles["ProfileAverageY"][row] == pytest.approx(sum(line) / max(len(line), 1))
    centre = found.values["CentroidX"], found.values["CentroidY"]
    at_cursor, through = statistics.lines(pixels, centre, (x, y))
    x, y = min(max(x, 0), fast - 1), min(max(y, 0), slow - 1)
    assert at_cursor == shown.get((x, y), 0.0)
    assert list(through["ProfileCursorX"]) == [shown.get((c, y), 0.0) for c in range(fast)]
    assert list(through["ProfileCursorY"]) == [shown.get((x, r), 0.0) for r in range(slow)]
    row = int(centre[1] + 0.5)
    assert list(through["ProfileCentroidX"]) == [shown.get((c, row), 0.0) for c in range(fast)]


@given(frames(), st.integers(1, 40), st.integers(0, 30), st.integers(-5, 60))
def test_histogram(data, size, low, high):
    values, bins = statistics.histogram(marked(data), size, low, high)
    top = high if high > low else low + 1
    wanted, below, above = np.zeros(size), 0, 0
    for *_, v in good(data):
        place = int((v - low) * (size - 1) / (top - low) + 0.5)
        if v < low:
            below += 1
        elif v > top or place > size - 1:
            above += 1
        else:
            wanted[place] += 1
    assert list(bins) == list(wanted)
    entropy = -sum(max(n, 1) * math.log(max(n, 1)) for n in wanted) / max(len(good(data)), 1)
    assert values == pytest.approx({"HistBelow": below, "HistAbove": above, "HistEntropy": entropy})


def test_bins_stand_where_ndpluginstats_says():
    assert list(statistics.bin_values(4, 0.0, 8.0)) == [0.0, 2.0, 4.0, 6.0]


def test_floats_have_a_histogram_too():
    values, bins = statistics.histogram(Pixels(np.array([[0.0, 0.5], [1.0, 9.0]])), 3, 0.0, 1.0)
    assert (list(bins), values["HistAbove"]) == ([1.0, 1.0, 1.0], 1.0)
