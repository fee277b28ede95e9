"""Autosave: which records are settings, in what order they are kept, files that are whole or set aside."""

import json

import pytest

from ioc.autosave import PREVIOUS, AutosaveError, Changes, File, from_text, to_text
from ioc.records import Kind
from ioc.settings import is_setting, settings
from layouts.beamline import load
from softbeam.pvs import devices

BOOT = {"a": 1.0, "b": 2.0, "c": "x"}


def test_what_nobody_has_changed_is_not_kept():
    changes = Changes(BOOT)
    changes.see(BOOT)
    assert changes.values() == {}


def test_puts_are_kept_in_their_order_the_last_of_each():
    changes = Changes(BOOT)
    for name in ("b", "a", "b", "unknown"):
        changes.put(name)
    changes.see({"a": 5.0, "b": 6.0, "c": "x"})
    assert list(changes.values().items()) == [("a", 5.0), ("b", 6.0)]


def test_what_follows_a_put_stands_behind_it():
    changes = Changes(BOOT)
    changes.put("b")
    changes.see({"a": 7.0, "b": 6.0, "c": "x"})
    assert list(changes.values()) == ["b", "a"]
    changes.put("a")
    changes.see({"a": 8.0, "b": 9.0, "c": "x"})
    assert list(changes.values().items()) == [("a", 8.0), ("b", 9.0)]


def test_a_put_of_the_value_at_boot_is_kept_too():
    changes = Changes(BOOT)
    changes.put("c")
    changes.see(BOOT)
    assert changes.values() == {"c": "x"}


def test_texts_come_back_in_their_order():
    values = {"SB:b": 1.5, "SB:a": "ö", "SB:c": float("inf"), "SB:d": 3}
    assert list(from_text(to_text(values, "sim")).items()) == list(values.items())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 3}', '{"settings": ["a"]}'])
def test_what_holds_no_settings_is_refused(text):
    with pytest.raises(AutosaveError, match="no settings"):
        from_text(text)


def test_a_file_is_written_whole_and_the_one_before_is_kept(tmp_path):
    file = File(tmp_path / "new", "sim")
    assert file.load() == {}
    file.save({"SB:a": 1})
    again = File(tmp_path / "new", "sim")
    assert again.load() == {"SB:a": 1}
    again.save({"SB:a": 2})
    again.save({"SB:a": 3})
    assert File(tmp_path / "new", "sim").path == again.path
    assert from_text(again.path.read_text()) == {"SB:a": 3}
    assert from_text(again.path.with_name(again.path.name + PREVIOUS).read_text()) == {"SB:a": 1}
    assert len(list(again.path.parent.iterdir())) == 2


def test_a_corrupt_file_is_reported_and_set_aside(tmp_path, caplog):
    file = File(tmp_path, "sim")
    file.path.write_bytes(b'{"settings": {"SB:a\xff')
    assert file.load() == {}
    assert "settings begin anew" in caplog.text
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("sim-settings.json.corrupt-")
    assert aside.read_bytes().startswith(b'{"settings"')
    file.save({"SB:a": 1})
    assert json.loads(file.path.read_text())["settings"] == {"SB:a": 1}


def test_a_save_that_fails_leaves_what_was(tmp_path, monkeypatch):
    file = File(tmp_path, "sim")
    file.save({"SB:a": 1})
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        file.save({"SB:a": 2})
    assert from_text(file.path.read_text()) == {"SB:a": 1}


# --- which they are -----------------------------------------------------------------------------------------

DEVICES = devices(load())


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.prefix)
def test_commands_are_no_settings(device):
    for name in settings(device.prefix, device.records):
        record = device.records[name]
        assert record.writable
        assert record.rtype != "busy"
        assert record.choices[:1] != ("Done",)
        assert record.kind not in (Kind.DOUBLES, Kind.LONGS)


def test_what_people_set_is_a_setting():
    kept = {f"{d.prefix}{name}" for d in DEVICES for name in settings(d.prefix, d.records)}
    wanted = (
        "cam1:AcquireTime",
        "cam1:PhotonEnergy",
        "HDF1:FilePath",
        "HDF1:FileTemplate",
        "HDF1:NumCapture",
    )
    assert {f"SB:EIG1:{name}" for name in wanted} <= kept
    assert {f"SB:MOT:OMEGA.{field}" for field in ("VELO", "OFF", "DHLM", "DIR", "DESC")} <= kept
    assert {"SB:ACQ:SampleName", "SB:TRIG:Position"} <= kept


@pytest.mark.parametrize(
    ("device", "names"),
    [
        (
            "SB:MOT:OMEGA.",
            ("VAL", "DVAL", "RLV", "STOP", "SPMG", "TWF", "JOGF", "HOMF", "SET", "PROC", "HLM"),
        ),
        ("SB:EIG1:cam1:", ("Acquire", "Trigger", "Initialize", "ArrayCounter", "Wavelength", "DataType")),
        ("SB:EIG1:HDF1:", ("Capture", "WriteFile", "DroppedArrays", "ArrayCounter")),
        ("SB:TRIG:", ("Arm", "PulseIn")),
        ("SB:ACQ:", ("Start", "Abort")),
        ("SB:EIG1:SIM:", ("Faults",)),
    ],
)
def test_what_acts_counts_or_follows_is_none(device, names):
    (found,) = [d for d in DEVICES if d.prefix == device]
    assert [name for name in names if is_setting(device, found.records[name])] == []


def test_settings_are_in_the_order_of_the_table():
    (cam,) = [d for d in DEVICES if d.prefix == "SB:EIG1:cam1:"]
    names = list(cam.records)
    found = settings(cam.prefix, cam.records)
    assert found == sorted(found, key=names.index)
