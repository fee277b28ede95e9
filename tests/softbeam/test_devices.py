"""The modules that ``softbeam devices`` writes: names, PVs, presets, form; the conformance tests run them."""

import ast
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from layouts.beamline import Beamline, Preset, load
from softbeam.__main__ import app
from softbeam.devices import NameClashError, module, python_names

FLAVOURS = ("ophyd", "ophyd-async")


def changed(**values: object) -> Beamline:
    return Beamline.model_validate(load().model_dump(mode="json") | values)


def renamed(names: dict[str, str]) -> Beamline:
    """The built-in beamline, with other names of motors that nothing else refers to."""
    dump = load().model_dump(mode="json")
    for old, new in names.items():
        dump["motors"].append({**dump["motors"][-1], "name": new, "pv": f"MOT:{old}"})
    return Beamline.model_validate(dump)


def calls(text: str) -> dict[str, tuple[str, str]]:
    """Class and first argument of each device that the module makes, by variable."""
    found = {}
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id=cls), args=[ast.Constant(value=str(pv))], keywords=[k]),
            ):
                assert k.arg == "name"
                assert isinstance(k.value, ast.Constant)
                assert k.value.value == name
                found[name] = (cls, pv)
            case _:
                pass
    return found


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_object_for_each_motor_and_detector(flavour):
    b = load()
    found = calls(module(b, flavour))
    motor = {"ophyd": "EpicsMotor", "ophyd-async": "Motor"}[flavour]
    assert found == {m.name: (motor, f"SB:{m.pv}") for m in b.motors} | {
        d.name.lower(): ("Eiger", f"SB:{d.pv}:") for d in b.detectors
    }


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("preset", "suffixes"),
    [(Preset.ADCORE, ("cam1:", "HDF1:", "Stats1:")), (Preset.DLS, ("CAM:", "HDF5:", "STAT:"))],
)
def test_suffixes_are_those_of_the_preset(flavour, preset, suffixes):
    text = module(changed(preset=preset), flavour)
    for suffix in suffixes:
        assert f'{suffix}"' in text


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_lists_name_all(flavour):
    b = load()
    space: dict[str, object] = {m.name: m.name for m in b.motors}
    space.update({d.name.lower(): d.name for d in b.detectors})
    for node in ast.parse(module(b, flavour)).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            exec(ast.unparse(node), space)
    assert space["MOTORS"] == tuple(m.name for m in b.motors)
    assert space["DETECTORS"] == ("EIG1", "EIG2")


def test_words_of_python_and_of_the_module_get_an_underscore():
    assert python_names(renamed({"A": "lambda", "B": "Time"})).motors["lambda"] == "lambda_"
    assert python_names(renamed({"A": "lambda", "B": "Time"})).motors["Time"] == "time_"


def test_names_that_differ_by_capitals_alone_are_refused():
    with pytest.raises(NameClashError, match=r"more than one device would be 'eig1'"):
        module(renamed({"A": "Eig1"}), "ophyd")


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("prefix", ["SB:", "A-LONG-PREFIX-OF-24-XYZ:"])
def test_ruff_has_nothing_to_change(flavour, prefix, tmp_path):
    b = changed(prefix=prefix)
    long = Beamline.model_validate(
        b.model_dump(mode="json")
        | {"motors": [m.model_dump(mode="json") | {"pv": m.pv + "X" * 30} for m in b.motors]}
    )
    file = tmp_path / "beamline_devices.py"
    file.write_text(module(long, flavour))
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "format", "--isolated", "--diff", file], check=True)
    subprocess.run([*ruff, "check", "--isolated", "--select", "E,F,I,B,UP,ANN001", file], check=True)


def test_the_command_prints_or_writes(tmp_path):
    file = tmp_path / "d.py"
    wrote = CliRunner().invoke(app, ["devices", "--out", str(file)])
    assert wrote.exit_code == 0, wrote.output
    assert file.read_text() == module(load(), "ophyd")
    printed = CliRunner().invoke(app, ["devices", "--flavour", "ophyd-async"])
    assert printed.output == module(load(), "ophyd-async")


def test_the_command_names_what_clashes(tmp_path):
    file = tmp_path / "beamline.json"
    file.write_text(renamed({"A": "Eig1"}).model_dump_json())
    refused = CliRunner().invoke(app, ["devices", "--beamline", str(file)])
    assert refused.exit_code == 2
    assert "more than one device" in refused.output
