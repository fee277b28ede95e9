"""FileTemplate against Python's own %, and against what areaDetector's clients write."""

import contextlib
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writer import filenames
from writer.filenames import FileNameError, full_name, printf

FLAGS = st.text("-+ 0#", max_size=3)
WIDTH = st.one_of(st.just(""), st.integers(0, 40).map(str))
PRECISION = st.one_of(st.just(""), st.integers(0, 20).map(lambda n: f".{n}"))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("%s%s_%6.6d.h5", "/data/run_000042.h5"),
        ("%s%s.h5", "/data/run.h5"),
        ("%s%s_%3.3d.h5", "/data/run_042.h5"),
        ("%s%s%d.h5", "/data/run42.h5"),
        ("%s%s_%08d.hdf", "/data/run_00000042.hdf"),
        ("%s%s_%-5d|", "/data/run_42   |"),
        ("%s%s_%ld.h5", "/data/run_42.h5"),
        ("%s%s_%x.h5", "/data/run_2a.h5"),
        ("%s%s_100%%.h5", "/data/run_100%.h5"),
        ("%sfixed.h5", "/data/fixed.h5"),
        ("%s%.2s.h5", "/data/ru.h5"),
    ],
)
def test_templates_of_the_field(template, expected):
    assert full_name(template, "/data", "run", 42) == expected
    assert full_name(template, "/data/", "run", 42) == expected


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("%s%d.h5", "argument 2 is the name"),
        ("%s%s%s.h5", "argument 3 is the number"),
        ("%s%s%d%d.h5", "nothing is left for '%d'"),
        ("%s%s_%f.h5", "'%f' is no conversion"),
        ("%s%s_%n.h5", "'%n' is no conversion"),
        ("%s%s_%", "is no conversion"),
        ("%s%s_%999999d.h5", "more than 255 characters"),
        ("", "names no file"),
        ("%s", "names no file"),
        ("%s%s\n", "control characters"),
    ],
)
def test_unusable_templates_say_why(template, says):
    with pytest.raises(FileNameError, match=says):
        full_name(template, "/data", "run", 1)


def test_a_name_too_long_is_refused():
    with pytest.raises(FileNameError, match="too long"):
        full_name("%s%s.h5", "/data", "x" * 300, 1)
    with pytest.raises(FileNameError, match="too long"):
        full_name("%s%s.h5", "/d" * 300, "x", 1)


@settings(max_examples=200)
@given(flags=FLAGS, width=WIDTH, precision=PRECISION, number=st.integers(-(2**31), 2**31 - 1))
def test_numbers_as_python_does(flags, width, precision, number):
    spec = f"%{flags}{width}{precision}d"
    c_ignores_zero = "0" in flags and precision  # Python does not, where there is a precision
    zero_of_zero = number == 0 and precision == ".0"
    if not (c_ignores_zero or zero_of_zero or "#" in flags):
        assert printf(spec, (number,)) == spec % number


@settings(max_examples=100)
@given(flags=st.sampled_from(["", "-"]), width=WIDTH, precision=PRECISION, text=st.text(max_size=20))
def test_strings_as_python_does(flags, width, precision, text):
    spec = f"%{flags}{width}{precision}s"
    assert printf(spec, (text,)) == spec % text


@settings(max_examples=50)
@given(width=st.integers(-30, 30), number=st.integers(0, 10**6))
def test_star_takes_an_argument(width, number):
    assert printf("%*d", (width, number)) == f"%{width}d" % number


def test_where_c_differs_from_python():
    assert printf("%06.3d", (7,)) == "   007"
    assert printf("%.0d", (0,)) == ""
    assert printf("%u", (-1,)) == "4294967295"
    assert printf("%#x", (0,)) == "0"
    assert printf("%#o", (8,)) == "010"
    assert printf("%s", ("a", 1, 2)) == "a"


@settings(max_examples=100)
@given(template=st.text("%sd.0123456789*-+ #xlh_", max_size=12))
def test_any_template_gives_a_name_or_a_reason(template):
    with contextlib.suppress(FileNameError):
        assert full_name(template, "/data", "run", 1)


def test_first_free_number():
    assert filenames.first_free(1, lambda n: n < 5) == 5
    assert filenames.first_free(7, lambda _n: False) == 7


def _there(*paths):
    known = {PurePosixPath(p) for p in paths}
    return lambda p: p in known


@pytest.mark.parametrize(
    ("depth", "made"),
    [(-1, None), (-2, ("/d/a", "/d/a/b")), (-5, ("/d/a", "/d/a/b")), (0, None), (1, 2), (2, 2), (3, None)],
)
def test_create_directory(depth, made):
    there = _there("/d")
    if made is None:
        with pytest.raises(FileNameError, match="/d/a does not exist"):
            filenames.directories_to_make("/d/a/b/", depth, there)
    else:
        found = filenames.directories_to_make("/d/a/b/", depth, there)
        assert found == (PurePosixPath("/d/a"), PurePosixPath("/d/a/b"))


def test_nothing_to_make_where_all_is_there():
    assert filenames.directories_to_make("/d", 0, _there("/d")) == ()


def test_slash():
    assert filenames.with_slash("") == ""
    assert filenames.with_slash("/a") == "/a/"
    assert filenames.with_slash("/a/") == "/a/"
