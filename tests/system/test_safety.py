"""Isolation and safety from the outside: who may put, what is logged and done again, what is saved.

Real programs, and EPICS' own tools as their clients.
"""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from ioc.client import Client, PutFailedError
from ioc.putlog import put_log_file
from layouts.beamline import load
from layouts.beamline_ca import AccessRule
from tests.kit.beamline import running
from tests.kit.tools_at import Tools

pytestmark = [pytest.mark.system, pytest.mark.conformance]

CAM, HDF, OMEGA = "SB:EIG1:cam1:", "SB:EIG1:HDF1:", "SB:MOT:OMEGA"


def tools(up):
    ca = up.beamline.ca
    return Tools(ca.sim_port, ca.writer_port)


def with_rules(*rules):
    beamline = load()
    return beamline.model_copy(update={"ca": beamline.ca.model_copy(update={"rules": rules})})


def one_detector(beamline=None):
    b = beamline or load()
    return b.model_copy(update={"detectors": b.detectors[:1]})


# --- who may put --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Only ann turns omega, nobody acquires through ACQ, and nobody from another computer moves anything."""
    rules = (
        AccessRule(pvs=(OMEGA,), users=("ann",), allow="write"),
        AccessRule(pvs=(OMEGA, "SB:ACQ:*")),
        AccessRule(pvs=("SB:MOT:DET_Z.VELO",), hosts=("192.0.2.0/24",), allow="write"),
        AccessRule(pvs=("SB:MOT:DET_Z.VELO",)),
        AccessRule(pvs=("SB:MOT:PHI",), hosts=("127.0.0.0/8", "localhost"), allow="write"),
        AccessRule(pvs=("SB:MOT:PHI",)),
    )
    folder = tmp_path_factory.mktemp("guarded")
    with running(one_detector(with_rules(*rules)), folder, ["--put-log", folder]) as up:
        yield up


def test_what_must_not_be_put_is_read_only_to_clients(guarded):
    client = tools(guarded)
    assert client.may("SB:ACQ:Start") == "read, no write"
    assert client.may(f"{CAM}Acquire") == "read, write"
    _, said = client.put("SB:ACQ:SampleName", "mine")
    assert "Write access denied" in said
    assert client.get("SB:ACQ:SampleName_RBV") != "mine"
    assert client.get("SB:IOC:WRITER:ACCESS_RULES") == "6"


def test_a_host_is_where_the_client_is_and_not_what_it_says(guarded):
    """EPICS' client takes its host name from the system; the rules are about the address of its socket."""
    client = tools(guarded)
    assert client.may("SB:MOT:DET_Z.VELO") == "read, no write"
    assert client.may("SB:MOT:PHI.VAL") == "read, write"
    assert client.put("SB:MOT:PHI.VELO", "5", wait=True)[0] == 0


def test_a_user_is_who_the_client_says(guarded):
    """Our own client may say any name, as any client may."""

    async def turn(user):
        client = Client(guarded.addresses)
        client.user = user
        try:
            await client.put(f"{OMEGA}.VELO", 10.0, wait=True)
        finally:
            await client.close()

    asyncio.run(turn("ann"))
    with pytest.raises(PutFailedError, match="read-only"):
        asyncio.run(turn("bob"))
    assert tools(guarded).get(f"{OMEGA}.VELO") == "10"


def test_who_puts_in_spite_of_the_rules_is_refused_and_logged(guarded):
    """A client that does not heed what it was told: the server refuses, with the reason."""

    async def defy():
        client = Client(guarded.addresses)
        try:
            assert not await client.connect([f"{OMEGA}.VAL"], 10)
            client._channels[f"{OMEGA}.VAL"].writable = True
            await client.put(f"{OMEGA}.VAL", 5.0, wait=True)
        finally:
            await client.close()

    with pytest.raises(PutFailedError, match=r"may not be put by .* at 127.0.0.1: rule 2"):
        asyncio.run(defy())
    assert tools(guarded).get(f"{OMEGA}.RBV") == "0"
    log = put_log_file(guarded.folder, "sim").read_text().splitlines()
    (line,) = [json.loads(text) for text in log if f'"{OMEGA}.VAL"' in text]
    assert (line["value"], line["address"], line["waits"]) == ([5.0], "127.0.0.1", True)
    assert "rule 2" in line["error"]
    assert int(tools(guarded).until("SB:IOC:SIM:REFUSED_CNT", lambda n: n != "0")) == 1


# --- what was put, and put again ----------------------------------------------------------------------------

SETTINGS = (
    *(f"{OMEGA}.{field}" for field in ("VAL", "RBV", "VELO", "DMOV", "DESC")),
    *(f"{CAM}{name}" for name in ("NumImages_RBV", "AcquireTime_RBV", "TriggerMode_RBV", "ImageMode_RBV")),
    *(f"{HDF}{name}" for name in ("FileName_RBV", "FilePath_RBV", "NumCapture_RBV")),
    "SB:TRIG:Motor_RBV",
)
STATE = (
    *SETTINGS,
    *(f"{CAM}{name}" for name in ("Acquire_RBV", "NumImagesCounter_RBV", "SequenceId")),
    *(f"{HDF}{name}" for name in ("NumCaptured_RBV", "Capture_RBV", "WriteStatus")),
)


def state(client):
    return {pv: client.get(pv) for pv in STATE}


def session(client, folder):
    """What somebody does: settings, a move, a capture with its acquisition, and what is refused."""
    folder.mkdir(exist_ok=True)
    for pv, value in {
        f"{OMEGA}.DESC": 'it\'s Ω "quoted"',
        f"{OMEGA}.VELO": "30",
        f"{CAM}TriggerMode": "Internal Series",
        f"{CAM}NumImages": "4",
        f"{CAM}AcquireTime": "0.02",
        f"{HDF}FilePath": str(folder),
        f"{HDF}FileName": "replayed",
        f"{HDF}FileTemplate": "%s%s.h5",
        f"{HDF}NumCapture": "4",
    }.items():
        code, said = client.put(pv, value, wait=True)
        assert code == 0, said
    client.put("SB:TRIG:Motor", "nobody", wait=True)  # refused by the trigger
    client.put(f"{OMEGA}.VAL", "3", wait=True)
    client.put(f"{HDF}Capture", "1")
    client.until(f"{HDF}Capture_RBV", lambda v: v == "Capturing")
    client.put(f"{CAM}Acquire", "1", wait=True)
    client.until(f"{HDF}Capture_RBV", lambda v: v == "Done")
    client.put(f"{OMEGA}.VAL", "-2", wait=True)


def again(up, program, *options):
    script = up.folder / "again.py"
    made = subprocess.run(
        [sys.executable, "-m", "softbeam", "puts", *program, "--out", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    done = subprocess.run(
        [sys.executable, script, *options],
        env=tools(up).env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{script.read_text()}\n{up.log[-2000:]}"


def test_a_session_that_was_logged_is_done_again_on_a_fresh_beamline(tmp_path):
    folder, files = tmp_path / "first", tmp_path / "files"
    folder.mkdir()
    with running(one_detector(), folder, ["--put-log", folder]) as up:
        client = tools(up)
        session(client, files)
        before = state(client)
        assert before[f"{HDF}NumCaptured_RBV"] == "4"
        log = client.get("SB:IOC:WRITER:PUT_LOG")
        assert log == str(put_log_file(folder, "writer"))
    first = (files / "replayed.h5").stat().st_size
    for path in files.iterdir():
        path.rename(folder / path.name)
    logs = [put_log_file(folder, program) for program in ("sim", "writer")]
    with running(one_detector(), _new(tmp_path)) as up:
        again(up, logs)
        client = tools(up)
        client.until(f"{HDF}Capture_RBV", lambda v: v == "Done")
        assert state(client) == before
        assert abs((files / "replayed.h5").stat().st_size - first) < 0.05 * first
        client.put(f"{OMEGA}.VELO", "11", wait=True)
        client.put(f"{CAM}NumImages", "5", wait=True)
        # What a script waited for between two puts, no log knows: without delays, settings are what remains.
        again(up, logs, "--no-delays")
        assert {pv: client.get(pv) for pv in SETTINGS} == {pv: before[pv] for pv in SETTINGS}


def _new(folder):
    made = folder / f"up-{time.monotonic_ns()}"
    made.mkdir()
    return made


# --- what is saved ------------------------------------------------------------------------------------------


def test_settings_outlive_a_restart_and_linked_values_follow(tmp_path):
    save = tmp_path / "settings"
    options = ["--autosave", save]
    values = {
        f"{OMEGA}.VELO": "25",
        f"{OMEGA}.DESC": "turned",
        f"{CAM}PhotonEnergy": "9000",
        f"{CAM}AcquireTime": "0.25",
        f"{CAM}TriggerMode": "External Series",
        f"{HDF}FileName": "kept",
        f"{HDF}FilePath": str(tmp_path),
        "SB:ACQ:SampleName": "lysozyme",
        "SB:TRIG:Position": "12.5",
    }
    with running(one_detector(), _new(tmp_path), options) as up:
        client = tools(up)
        initial = client.get(f"{CAM}NumImages_RBV")
        for pv, value in values.items():
            code, said = client.put(pv, value, wait=True)
            assert code == 0, said
        # Not a setting: where a motor is.
        client.put(f"{OMEGA}.VAL", "7", wait=True)
        linked = {
            pv: client.get(f"{CAM}{pv}_RBV") for pv in ("ThresholdEnergy", "Wavelength", "AcquirePeriod")
        }
        client.until("SB:IOC:WRITER:AUTOSAVE", lambda text: "settings in" in text)
    with running(one_detector(), _new(tmp_path), options) as up:
        client = tools(up)
        assert {pv: client.get(pv).rstrip("/") for pv in values} == values
        assert client.get(f"{CAM}PhotonEnergy_RBV") == "9000"
        assert client.get(f"{CAM}TriggerMode_RBV") == "External Series"
        assert {pv: client.get(f"{CAM}{pv}_RBV") for pv in linked} == linked
        assert client.get(f"{CAM}NumImages_RBV") == initial
        assert client.get(f"{OMEGA}.VAL") == "0"
        assert client.get(f"{CAM}Acquire_RBV") == "Done"
        client.put(f"{OMEGA}.VELO", "35", wait=True)
    # What is changed in the last moment is saved at the end, and the state at the start is kept beside it.
    file = save / "sim-settings.json"
    assert json.loads(file.read_text())["settings"][f"{OMEGA}.VELO"] == 35.0
    before = json.loads((save / "sim-settings.json.previous").read_text())
    assert before["settings"][f"{OMEGA}.VELO"] == 25.0


def test_settings_that_cannot_be_restored_are_named_and_the_rest_is(tmp_path):
    save = tmp_path / "settings"
    save.mkdir()
    kept = {
        "SB:MOT:NONE.VELO": 1.0,
        "SB:TRIG:Motor": "nobody",
        f"{CAM}TriggerMode": "Whenever",
        f"{CAM}NumImages": 12,
        f"{CAM}NumImages_RBV": 13,
    }
    (save / "sim-settings.json").write_text(json.dumps({"program": "sim", "settings": kept}))
    (save / "writer-settings.json").write_text('{"program": "writer", "sett')
    with running(one_detector(), _new(tmp_path), ["--autosave", save]) as up:
        client = tools(up)
        assert client.get(f"{CAM}NumImages_RBV") == "12"
        assert client.get("SB:TRIG:Motor_RBV") == "omega"
        for said in ("no PV has this name", "there is no 'nobody'", "'Whenever'", "NumImages_RBV = 13: "):
            assert said in up.log
        assert "1 of 5 settings restored" in up.log
        assert "settings begin anew" in up.log
    assert len(list(save.glob("writer-settings.json.corrupt-*"))) == 1
