"""Commands that need no running beamline: what they print and how they exit."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from layouts.beamline import Beamline, default_text
from softbeam.__main__ import app

run = CliRunner()


def invoke(*arguments):
    return run.invoke(app, [str(a) for a in arguments])


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['softbeam', '--help']\n"
        "from softbeam.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'h5py', 'hdf5plugin', 'numpy', 'zmq', 'caproto', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "scan" in done.stdout


def test_built_in_beamline_is_printed_and_found_good(tmp_path):
    shown = invoke("beamline")
    assert shown.stdout == default_text()
    file = tmp_path / "my.toml"
    file.write_text(shown.stdout)
    checked = invoke("beamline", file)
    assert checked.exit_code == 0
    assert "11 motors, 2 detectors, no errors" in checked.stdout


def test_wrong_beamline_lists_all_and_exits_2(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(
        default_text().replace("version = 1", "version = 7").replace('stage = "det_z"', 'stage = "x"')
    )
    for command in (["beamline", file], ["up", "-b", file], ["env", "-b", file], ["pvs", "-b", file]):
        done = invoke(*command)
        assert done.exit_code == 2
        assert "detectors[1].stream.version" in done.stderr
        assert "detectors[0].stage: no motor 'x'" in done.stderr


def test_schema_describes_the_model():
    schema = json.loads(invoke("beamline", "--schema").stdout)
    assert set(schema["properties"]) == set(Beamline.model_fields)


def test_env_is_what_a_shell_can_read():
    lines = invoke("env").stdout.splitlines()
    assert "export EPICS_CA_ADDR_LIST='127.0.0.1:5164 127.0.0.1:5166'" in lines
    assert all(line.startswith(("export ", "#")) for line in lines)


def test_pvs_lists_each_device():
    text = invoke("pvs").stdout
    for name in ("SB:MOT:OMEGA.VAL ", "SB:EIG1:cam1:Acquire ", "SB:EIG2:HDF1:Capture ", "SB:ACQ:Start "):
        assert name in text
    only = invoke("pvs", "HDF1:NumCapture").stdout.splitlines()
    assert only
    assert all("HDF1:NumCapture" in line for line in only)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "0 frames make no sweep"),
        (["--increment", "0"], "no rotation"),
        (["--axis", "sam_x"], "no goniometer axis"),
        (["--detector", "EIG9"], "no 'EIG9'"),
        (["--detector", "EIG1=many"], "no number of frames"),
    ],
)
def test_impossible_scans_are_refused_before_anything_moves(arguments, message):
    done = invoke("scan", "rotation", *arguments)
    assert done.exit_code == 2
    assert message in done.output.replace("\n", " ")


def test_check_of_what_is_no_master(tmp_path):
    file = tmp_path / "no.nxs"
    file.write_bytes(b"nothing")
    done = invoke("check", file)
    assert done.exit_code == 1
    assert "cannot be read" in done.output
    missing = invoke("check", tmp_path / "none.nxs")
    assert missing.exit_code == 2
    assert "no such file" in missing.output.replace("\n", " ")
