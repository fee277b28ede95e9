"""What every client relies on, rule by rule, with the tools people have: EPICS base's, pyepics and aioca.

The sequences themselves are in docs/behaviour.md; here the point is that the tools see them.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest

from ioc.menus import DetectorState
from layouts.beamline import load
from tests.kit.beamline import running
from tests.kit.epics_tools import call, tool
from tests.kit.programs import client_environment

pytestmark = pytest.mark.conformance

CAM, HDF = "SB:EIG1:cam1:", "SB:EIG1:HDF1:"
CHILD = Path(__file__).parent / "children" / "rules.py"
PATIENCE = 40.0


class Tools:
    """caget, caput and camonitor on the beamline."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def get(self, *words: str) -> str:
        return call("caget", "-w", "20", "-t", *words, env=self.environment, timeout=PATIENCE)

    def put(self, *words: str, fails: bool = False) -> str:
        return call("caput", "-w", "30", "-c", *words, env=self.environment, timeout=PATIENCE, fails=fails)

    def until(self, value: str, *words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := self.get(*words)) != value:
            assert time.monotonic() < deadline, f"{words} is {found!r}, not {value!r}"
            time.sleep(0.05)


class Monitor:
    """A camonitor; what it has printed so far."""

    def __init__(self, tools: Tools, *pvs: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [tool("camonitor"), "-t", "n", *pvs], env=tools.environment, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until(lambda lines: len(lines) >= len(pvs))
        self.lines.clear()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.lines.append(" ".join(line.split()[:2]))  # an alarm stands behind

    def until(self, condition) -> list[str]:
        deadline = time.monotonic() + PATIENCE
        while not condition(self.lines):
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.02)
        return self.lines

    def close(self) -> None:
        self._process.kill()
        self._reader.join(10)
        self._process.communicate()


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("rules")
    with running(load(), folder) as up:
        ca = up.beamline.ca
        tools = Tools(client_environment(ca.sim_port, ca.writer_port), folder)
        # Before any frame: it is primed (rule 10).
        assert [tools.get(f"{HDF}ArraySize{axis}_RBV") for axis in (0, 1)] == ["1028", "1062"]
        for record, value in {"AcquireTime": "0.02", "AcquirePeriod": "0.02", "NumImages": "3"}.items():
            tools.put(f"{CAM}{record}", value)
        yield tools


def test_1_completion_comes_when_it_is_done(tools):
    tools.put(f"{CAM}NumImages", "10")
    tools.put(f"{CAM}Acquire", "1")
    assert tools.get(f"{CAM}Acquire_RBV", f"{CAM}NumImagesCounter_RBV").split() == ["Done", "10"]
    tools.put("SB:MOT:SAM_Y", "0.3")
    assert tools.get("SB:MOT:SAM_Y.RBV", "SB:MOT:SAM_Y.DMOV").split() == ["0.3", "1"]
    tools.put(f"{CAM}NumImages", "3")


def test_2_every_setpoint_comes_back_the_empty_text_too(tools):
    for value in ("a/b c", ""):
        tools.put("-S", f"{CAM}FileName", value)
        tools.until(value, "-S", f"{CAM}FileName_RBV")
        tools.put("-S", f"{HDF}FileName", value)
        tools.until(value, "-S", f"{HDF}FileName_RBV")


def test_3_a_path_has_its_slash_and_a_clamped_value_is_told(tools):
    tools.put("-S", f"{HDF}FilePath", str(tools.folder))
    tools.until(f"{tools.folder}/", "-S", f"{HDF}FilePath_RBV")
    tools.put(f"{CAM}AcquireTime", "0.05")
    assert float(tools.get(f"{CAM}AcquirePeriod_RBV")) >= 0.05
    tools.put(f"{CAM}AcquireTime", "0.02")
    tools.put(f"{CAM}AcquirePeriod", "0.02")


def test_4_no_edge_is_lost(tools):
    edges = Monitor(tools, f"{CAM}Acquire_RBV", "SB:MOT:SAM_Y.DMOV")
    try:
        tools.put(f"{CAM}NumImages", "1")
        for _ in range(3):
            tools.put(f"{CAM}Acquire", "1")
        place = tools.get("SB:MOT:SAM_Y")
        for _ in range(3):
            tools.put("SB:MOT:SAM_Y", place)
        lines = edges.until(lambda seen: len(seen) >= 12)
    finally:
        edges.close()
    assert [line for line in lines if "Acquire" in line] == [
        f"{CAM}Acquire_RBV {state}" for _ in range(3) for state in ("Acquiring", "Done")
    ]
    assert [line.split()[1] for line in lines if "DMOV" in line] == ["0", "1"] * 3
    tools.put(f"{CAM}NumImages", "3")


def test_5_the_detector_is_idle_before_acquire_is_done(tools):
    order = Monitor(tools, f"{CAM}Acquire", f"{CAM}Acquire_RBV", f"{CAM}DetectorState_RBV")
    try:
        tools.put(f"{CAM}Acquire", "1")
        lines = order.until(lambda seen: f"{CAM}Acquire Done" in seen)
    finally:
        order.close()
    told = [line.removeprefix(CAM) for line in lines]
    assert set(told[:3]) == {"Acquire Acquire", "DetectorState_RBV Acquire", "Acquire_RBV Acquiring"}
    assert told[3:] == ["DetectorState_RBV Idle", "Acquire_RBV Done", "Acquire Done"]


def test_6_a_second_acquire_changes_nothing_and_0_aborts(tools):
    tools.put(f"{CAM}NumImages", "500")
    before = int(tools.get(f"{CAM}SequenceId"))
    first = subprocess.Popen([tool("caput"), "-c", "-w", "60", f"{CAM}Acquire", "1"], env=tools.environment)
    try:
        tools.until("Armed", f"{CAM}Armed")
        call("caput", f"{CAM}Acquire", "1", env=tools.environment)
        assert int(tools.get(f"{CAM}SequenceId")) == before + 1
        call("caput", f"{CAM}Acquire", "0", env=tools.environment)
        assert first.wait(PATIENCE) == 0
    finally:
        first.kill()
    assert tools.get(f"{CAM}DetectorState_RBV") == "Aborted"
    tools.put(f"{CAM}NumImages", "3")


def test_7_menus_take_their_words_and_their_numbers(tools):
    for value in ("External Series", "0"):
        tools.put(f"{CAM}TriggerMode", value)
    assert tools.get(f"{CAM}TriggerMode_RBV", f"{CAM}TriggerMode") == "Internal Series\nInternal Series"
    assert tools.get("-n", f"{CAM}TriggerMode_RBV") == "0"
    tools.put(f"{CAM}TriggerMode", "Sometimes", fails=True)
    said = call("caget", "-d", "DBR_CTRL_ENUM", f"{CAM}DetectorState_RBV", env=tools.environment)
    choices = [line.rpartition("]")[2].strip() for line in said.splitlines() if line.strip().startswith("[")]
    assert choices == [str(state) for state in DetectorState]
    info = call("cainfo", f"{CAM}AcquireTime", f"{CAM}NumImages", f"{CAM}FilePath", env=tools.environment)
    kinds = [line.split()[-1] for line in info.splitlines() if "Native data type" in line]
    counts = [line.split()[-1] for line in info.splitlines() if "Element count" in line]
    assert (kinds, counts) == (["DBF_DOUBLE", "DBF_LONG", "DBF_CHAR"], ["1", "1", "256"])


def test_8_the_file_is_closed_before_its_capture_is_done(tools):
    tools.put("-S", f"{HDF}FilePath", str(tools.folder))
    tools.put("-S", f"{HDF}FileName", "eight")
    tools.put(f"{HDF}NumCapture", "3")
    capture = subprocess.Popen([tool("caput"), "-c", "-w", "60", f"{HDF}Capture", "1"], env=tools.environment)
    try:
        tools.until("Capturing", f"{HDF}Capture_RBV")
        full = tools.get("-S", f"{HDF}FullFileName_RBV")
        assert "eight" in full
        tools.put(f"{CAM}Acquire", "1")
        assert capture.wait(PATIENCE) == 0
    finally:
        capture.kill()
    assert tools.get(f"{HDF}Capture_RBV", f"{HDF}NumCaptured_RBV").split() == ["Done", "3"]
    assert Path(full).exists()


def test_9_the_period_counts_where_it_is_longer(tools):
    tools.put(f"{CAM}AcquirePeriod", "0.4")
    tools.put(f"{CAM}AcquireTime", "0.01")
    assert tools.get(f"{CAM}AcquirePeriod_RBV", f"{CAM}AcquireTime_RBV").split() == ["0.4", "0.01"]
    began = time.monotonic()
    tools.put(f"{CAM}Acquire", "1")
    assert time.monotonic() - began > 0.8  # three periods, of which the last need not be waited for
    tools.put(f"{CAM}AcquireTime", "0.02")
    tools.put(f"{CAM}AcquirePeriod", "0.02")


def test_11_the_ports_make_a_graph(tools):
    plugins = [f"SB:EIG1:{name}" for name in ("HDF1:", "Stats1:", "image1:", "ROI1:")]
    ports = {tools.get(f"{prefix}PortName_RBV") for prefix in (CAM, *plugins)}
    assert len(ports) == 5
    for prefix in plugins:
        assert tools.get(f"{prefix}NDArrayPort_RBV") in ports
    kinds = [tools.get(f"{prefix}PluginType_RBV") for prefix in plugins]
    assert kinds == ["NDFileHDF5", "NDPluginStats", "NDPluginStdArrays", "NDPluginROI"]


@pytest.mark.parametrize("package", ["epics", "aioca"])
def test_the_same_from_python(tools, package):
    if util.find_spec(package) is None:
        pytest.skip(f"{package} is missing")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", CHILD, "SB:", package],
        env=tools.environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK" in done.stdout
