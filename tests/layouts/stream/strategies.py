"""Hypothesis strategies for every message of both versions."""

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from layouts.stream import codecs
from layouts.stream.messages import SENT, End, HeaderDetail, Image, Rational, Start
from tests.layouts.stream import examples

SERIES = st.integers(0, 2**48)
ULIDS = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 40))
TEXTS = st.text(max_size=30)
REALS = st.floats(allow_nan=False, allow_infinity=False)
CHANNELS = st.sampled_from(
    [("threshold_1",), ("threshold_1", "threshold_2"), ("threshold_1", "threshold_2", "difference")]
)
DATES = st.datetimes().map(lambda when: when.isoformat(timespec="milliseconds") + "+01:00")
PLAIN = st.booleans() | st.integers(-(2**53), 2**53) | REALS | TEXTS | st.lists(REALS, max_size=4)
AXES = st.dictionaries(
    st.sampled_from(["omega", "chi", "kappa", "phi", "two_theta"]),
    st.fixed_dictionaries({"increment": REALS, "start": REALS}),
    max_size=5,
)
USER_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**63) | REALS | TEXTS | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def arrays(dtype, shape):
    values = {"elements": st.floats(0, 2, width=32)} if dtype == "float32" else {}
    return hnp.arrays(dtype, shape, **values)


RESERVED = {
    "type",
    "series_id",
    "series_unique_id",
    "countrate_correction_lookup_table",
    "flatfield",
    "pixel_mask",
    "user_data",
}
"""Keys of a version 2 start message that are not part of its config."""


@st.composite
def starts(draw, version):
    detail = draw(st.sampled_from(list(HeaderDetail)))
    shape = draw(SHAPES)
    channels = draw(CHANNELS) if version == 2 else ("threshold_1",)
    config = draw(st.dictionaries(st.text(min_size=1, max_size=12), PLAIN, max_size=6))
    values = {"version": version, "series": draw(SERIES), "detail": detail, "config": config}
    if version == 2:
        config = {key: value for key, value in config.items() if key not in RESERVED}
        known = examples.config_v2()
        chosen = draw(st.sets(st.sampled_from(sorted(known))))
        values["config"] = {key: known[key] for key in known if key in chosen} | config
        axes = draw(AXES)
        if axes:
            values["config"]["goniometer"] = axes
        values |= {"unique_id": draw(ULIDS), "appendix": draw(USER_DATA)}
        # Version 2 has one form for "none" and "basic".
        values["detail"] = HeaderDetail.BASIC if detail is HeaderDetail.NONE else detail
    else:
        values["appendix"] = draw(st.none() | TEXTS)
        if detail is HeaderDetail.NONE:
            values["config"] = {}
    if detail is HeaderDetail.ALL:
        masks = {channel: draw(arrays("uint32", shape)) for channel in channels}
        flats = {channel: draw(arrays("float32", shape)) for channel in channels if channel != "difference"}
        table = (
            draw(arrays("float32", (2, draw(st.integers(1, 9)))))
            if version == 1
            else draw(st.none() | arrays("uint32", (draw(st.integers(1, 9)),)))
        )
        if version == 2 and draw(st.booleans()):
            flats = {}
        values |= {"pixel_mask": masks, "flatfield": flats, "countrate_table": table}
    return Start(**values)


@st.composite
def images(draw, version):
    base = 10**9 if version == 1 else draw(st.sampled_from([50_000_000, 10**9, 3]))
    channels = draw(CHANNELS) if version == 2 else ("threshold_1",)
    codec = draw(st.sampled_from(SENT))
    dtype, shape = draw(st.sampled_from(["uint8", "uint16", "uint32"])), draw(SHAPES)
    ticks = st.integers(0, 2**63).map(lambda number: Rational(number, base))
    return Image(
        series=draw(SERIES),
        unique_id=draw(ULIDS) if version == 2 else None,
        frame=draw(st.integers(0, 2**48)),
        payloads=tuple(
            codecs.pack(draw(arrays(dtype, shape)), codec, version=version, channel=channel)
            for channel in channels
        ),
        start_time=draw(ticks),
        stop_time=draw(ticks),
        real_time=draw(ticks),
        series_date=draw(DATES) if version == 2 else None,
        appendix=draw(st.none() | TEXTS) if version == 1 else draw(USER_DATA),
    )


@st.composite
def ends(draw, version):
    return End(series=draw(SERIES), unique_id=draw(ULIDS) if version == 2 else None)


def messages(version):
    return st.one_of(starts(version), images(version), ends(version))
