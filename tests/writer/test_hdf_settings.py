"""Settings of the file records that would promise too much, and layouts that are none."""

import pytest

from ioc.records import PutError
from writer import hdf_settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MinCallbackTime", 0.1, "0 is right"),
        ("MaxArrayRate", 5.0, "0 is right"),
        ("MaxByteRate", 1e6, "0 is right"),
        ("MaxByteRate", float("nan"), "0 is right"),
        ("NumCapture", -1, "0 is no limit"),
        ("NumFramesFlush", -1, "0 is no limit"),
        ("NDArrayPort", "SIM1", "EIG1 is right"),
        ("TempSuffix", "a/b", ".tmp"),
        ("TempSuffix", "\n", ".tmp"),
    ],
)
def test_what_would_not_be_done_is_refused(name, value, sentence):
    with pytest.raises(PutError, match=sentence):
        hdf_settings.check(name, value, "EIG1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MaxArrayRate", 0.0),
        ("NumCapture", 0),
        ("NumCapture", 2**31 - 1),
        ("NDArrayPort", "EIG1"),
        ("TempSuffix", ""),
        ("TempSuffix", ".part"),
        ("NumFramesChunks", -1),
    ],
)
def test_the_rest_is_taken(name, value):
    hdf_settings.check(name, value, "EIG1")


def test_no_layout_is_right():
    assert hdf_settings.layout("") == (True, "")
    assert hdf_settings.layout("  ") == (True, "")


def test_a_layout_is_good_and_not_used(tmp_path):
    text = "<hdf5_layout><group name='entry'/></hdf5_layout>"
    path = tmp_path / "layout.xml"
    path.write_text(text)
    for value in (text, str(path)):
        assert hdf_settings.layout(value) == (True, hdf_settings.UNUSED)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("<hdf5_layout>", "no element found"),
        ("<other/>", "<hdf5_layout> is right"),
        ("/nowhere/layout.xml", "No such file"),
        ("a\0b", "cannot be read"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><hdf5_layout>&a;</hdf5_layout>', "entities"),
    ],
)
def test_what_is_no_layout_is_said(value, why):
    valid, message = hdf_settings.layout(value)
    assert not valid
    assert why in message
