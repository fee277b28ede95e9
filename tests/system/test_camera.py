"""The camera's linked records with the real simulator: modes, states, and what waits for what."""

import asyncio
import subprocess

import pytest

from layouts.beamline import load
from tests.kit.epics_tools import call, tool
from tests.kit.hands import CAM, SIM, hands, internal
from tests.kit.programs import client_environment
from tests.kit.simulated import Receiver, simulator

pytestmark = pytest.mark.system

TRIG = "SB:TRIG:"


@pytest.fixture(scope="module")
def sim():
    beamline = load()
    simulation = beamline.simulation.model_copy(update={"acknowledge_within": 1.0})
    with simulator(beamline.model_copy(update={"simulation": simulation})) as running:
        yield running


@pytest.fixture(scope="module")
def main(sim):
    with Receiver(sim.beamline.detectors[0].stream.endpoint) as receiver:
        yield receiver


async def watch(h, *names):
    """Changes of these records from now on, in order, as (name, value)."""
    seen = []
    for name in names:
        await h.client.subscribe(CAM + name, lambda r, n=name: seen.append((n, r.value)))
        await h.get(CAM + name)
    seen.clear()
    return seen


def test_acquire_completes_when_the_writer_has_stored_its_series(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=3)
            await h.set(CAM, WaitForPlugins="Yes")
            await h.set(SIM, Writing="Yes")
            seen = await watch(
                h, "DetectorState_RBV", "Acquire_RBV", "Acquire", "AcquireBusy", "AcquireBusyCB"
            )
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Acquire_RBV", "Acquiring")
            await h.until(CAM + "Acquire", "Done")
            assert await h.get(CAM + "AcquireBusy") == "Acquiring"
            assert not running.done()
            await h.put(SIM + "Queued", 2)
            assert await h.get(CAM + "NumQueuedArrays") == 2
            assert await h.get(CAM + "PoolUsedMem") > 2
            await h.set(SIM, Queued=0, Stored=await h.get(CAM + "SequenceId"))
            await asyncio.wait_for(running, 1)
            await asyncio.sleep(0)
            ends = [(n, v) for n, v in seen if v in ("Done", "Idle")]
            assert ends == [
                ("DetectorState_RBV", "Idle"),
                ("Acquire_RBV", "Done"),
                ("Acquire", "Done"),
                ("AcquireBusyCB", "Done"),
                ("AcquireBusy", "Done"),
            ]
            assert await h.get(CAM + "StatusMessage_RBV") == "Ready"
            # A writer that says nothing is waited for until the deadline, and named.
            await h.put(CAM + "Acquire", 1)
            assert "the writer did not answer" in await h.get(CAM + "StatusMessage_RBV")
            # A client may end the wait.
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "DetectorState_RBV", "Acquire")
            await h.until(CAM + "DetectorState_RBV", "Idle")
            await h.put(CAM + "AcquireBusy", 0)
            await running
            assert "ended by a put" in await h.get(CAM + "StatusMessage_RBV")
            await h.set(SIM, Writing="No")
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "StatusMessage_RBV") == "Ready"
            await h.set(CAM, WaitForPlugins="No")

    asyncio.run(do())


def test_the_next_acquire_waits_for_the_writer_of_the_last(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=1)
            await h.set(CAM, WaitForPlugins="Yes")
            await h.set(SIM, Writing="Yes")
            first = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "DetectorState_RBV", "Acquire")
            await h.until(CAM + "Acquire", "Done")
            series = await h.get(CAM + "SequenceId")
            second = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Acquire", "Acquire")
            assert await h.get(CAM + "SequenceId") == series
            await h.put(SIM + "Stored", series)
            await first
            await h.until(CAM + "SequenceId", series + 1)
            await h.put(SIM + "Stored", series + 1)
            await second
            await h.set(SIM, Writing="No")
            await h.set(CAM, WaitForPlugins="No")

    asyncio.run(do())


def test_each_change_on_its_way_to_the_detector_is_an_edge(sim):
    async def do():
        async with hands(sim) as h:
            await internal(h)
            names = ("StaleParameters_RBV", "AcquireTime_RBV", "NumImages_RBV", "BitDepthImage_RBV")
            seen = await watch(h, *names)
            await h.put(CAM + "AcquireTime", 0.005)
            await h.put(CAM + "NumImages", 9)
            await h.put(CAM + "AcquireTime", 0.5)
            await asyncio.sleep(0)
            stale = [v for n, v in seen if n == "StaleParameters_RBV"]
            assert stale == ["Yes", "No"] * 3
            assert seen.index(("AcquireTime_RBV", 0.005)) < seen.index(("StaleParameters_RBV", "No"))
            assert ("BitDepthImage_RBV", 32) in seen
            assert await h.get(CAM + "DataType_RBV") == "UInt32"
            await internal(h)

    asyncio.run(do())


def test_enable_modes_lend_one_image_and_each_trigger_its_exposure(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=4)
            await h.set(CAM, TriggerMode="Internal Enable", NumTriggers=3, ManualTrigger="Enable")
            assert await h.get(CAM + "NumImages_RBV") == 1  # at once, and for as long as nobody puts another
            await h.set(CAM, NumImages=4)
            seen = await watch(h, "NumImages_RBV")
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            for number, exposure in enumerate((0.01, 0.02, 0.03), 1):
                # The driver takes AcquireTime when it triggers; the series keeps what it was armed with.
                await h.put(CAM + "AcquireTime", exposure)
                assert await h.get(CAM + "AcquireTime_RBV") == exposure
                if number == 3:
                    await h.put(CAM + "TriggerExposure", 0.04)
                await h.put(CAM + "Trigger", 1)
                await h.until(CAM + "NumImagesCounter_RBV", number)
            await running
            assert [v for _, v in seen] == [1, 4]
            assert await h.get(CAM + "AcquireTime_RBV") == 0.03
            await h.set(CAM, TriggerExposure=0.0, ManualTrigger="Disable")
            return await h.get(CAM + "SequenceId")

    images = main.series(asyncio.run(do())).images
    exposures = [i.stop_time.nanoseconds - i.start_time.nanoseconds for i in images]
    assert exposures == [10_000_000, 20_000_000, 40_000_000]


def test_continuous_begins_series_after_series_until_it_is_stopped(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=2)
            first = await h.get(CAM + "SequenceId") + 1
            await h.set(CAM, TriggerMode="Continuous")
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "SequenceId", lambda series: series >= first + 2)
            assert await h.get(CAM + "Acquire_RBV") == "Acquiring"
            await h.put(CAM + "Acquire", 0)
            await running
            assert await h.get(CAM + "DetectorState_RBV") == "Aborted"
            return first

    first = asyncio.run(do())
    assert [len(main.series(first + n).images) for n in (0, 1)] == [2, 2]


def test_gates_make_an_image(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=2)
            await h.set(CAM, TriggerMode="External Gate", NumExposures=2)
            assert await h.get(CAM + "BitDepthImage_RBV") == 32
            await h.put(CAM + "ExtGateMode", "Pump & Probe")
            assert await h.get(CAM + "BitDepthImage_RBV") == 16
            await h.put(CAM + "ExtGateMode", "HDR")
            await h.put(TRIG + "PulseWidth", 0.01)
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            for number in (1, 2):
                for gate in (1, 0):
                    await h.put(TRIG + "PulseIn", "High")
                    assert await h.get(CAM + "NumExposuresCounter_RBV") == gate
                    await asyncio.sleep(0.03)  # a gate within the readout of the last would be lost
                await h.until(CAM + "NumImagesCounter_RBV", number)
            await running
            assert await h.get(CAM + "DetectorState_RBV") == "Idle"
            await h.set(CAM, NumExposures=1, TriggerMode="Internal Series")
            return await h.get(CAM + "SequenceId")

    got = main.series(asyncio.run(do()))
    assert got.start.config["image_dtype"] == "uint32"
    assert len(got.images) == 2
    for image in got.images:
        assert image.real_time.nanoseconds == 20_000_000
        assert image.stop_time.nanoseconds - image.start_time.nanoseconds > 30_000_000
        assert image.payloads[0].dtype == "uint32"


def test_sources_and_a_stream_that_is_disabled(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=3)
            await h.put(CAM + "StreamEnable", "Disable")
            assert await h.get(CAM + "StreamState_RBV") == "disabled"
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Error"
            assert "Stream API is disabled" in await h.get(CAM + "StatusMessage_RBV")
            assert await h.get(CAM + "Acquire_RBV") == "Done"
            # Without a source the driver does not look: the detector exposes, and nothing is sent or counted.
            counted = await h.get(CAM + "ArrayCounter_RBV")
            await h.put(CAM + "DataSource", "None")
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Idle"
            silent, truth = await h.get(CAM + "SequenceId"), await h.truth()
            assert (truth["frames"], truth["produced"], truth["sent"], truth["dropped"]) == (3, 0, 0, 0)
            assert await h.get(CAM + "NumImagesCounter_RBV") == 0
            assert await h.get(CAM + "ArrayCounter_RBV") == counted
            # To choose the stream enables it.
            await h.put(CAM + "DataSource", "Stream")
            assert await h.get(CAM + "StreamEnable_RBV") == "Enable"
            await h.put(CAM + "StreamEnable", "Enable")
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "ArrayCounter_RBV") == counted + 3
            return silent

    silent = asyncio.run(do())
    assert len(main.series(silent + 1).images) == 3
    assert not [m for m in main.messages if m.series == silent]


def test_arrays_are_counted_over_series_timed_and_rated(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=5)
            await h.put(CAM + "ArrayCounter", 100)
            for _ in range(2):
                await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "ArrayCounter_RBV") == 110
            assert await h.get(CAM + "UniqueId_RBV") == 109
            size = await h.get(CAM + "CompressedSize_RBV")
            assert 0 < size < await h.get(CAM + "ArraySize_RBV")
            stamp = await h.client.read(CAM + "TimeStamp_RBV")
            assert stamp.timestamp - 631_152_000 - stamp.value == pytest.approx(0.0, abs=2.0)
            assert int(stamp.value) == await h.get(CAM + "EpicsTSSec_RBV")
            await internal(h, images=300)
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "ArrayRate_RBV", lambda rate: rate > 10)
            await h.put(CAM + "Acquire", 0)
            await running

    asyncio.run(do())


async def took(h):
    """Seconds from telling the shutter to its arrival, by the server's own time stamps."""
    told, there = [await h.client.read(CAM + name) for name in ("ShutterControlEPICS", "ShutterStatus_RBV")]
    return there.timestamp - told.timestamp


def test_the_shutter_moves_as_its_mode_says(sim, main):
    async def do():
        async with hands(sim) as h:
            await h.put(CAM + "ShutterControl", "Open")
            assert await h.get(CAM + "ShutterStatus_RBV") == "Closed"  # there is none
            await h.set(CAM, ShutterControl="Close", ShutterMode="EPICS PV")
            await h.set(CAM, ShutterOpenDelay=0.1, ShutterCloseDelay=0.2)
            assert await h.get(CAM + "ShutterMode_RBV") == "EPICS PV"
            seen = await watch(h, "ShutterControlEPICS", "ShutterStatus_RBV")
            await h.put(CAM + "ShutterControl", "Open")
            assert seen == [("ShutterControlEPICS", "Open"), ("ShutterStatus_RBV", "Open")]
            assert await h.get(CAM + "ShutterStatusEPICS_RBV") == "Open"
            assert await took(h) >= 0.1
            await h.put(CAM + "ShutterControl", "Close")
            assert await took(h) >= 0.2
            await h.put(CAM + "ShutterMode", "Detector output")
            assert await h.get(CAM + "ShutterMode_RBV") == "Camera output"
            await internal(h, images=2)
            seen.clear()
            await h.put(CAM + "Acquire", 1)
            assert [v for n, v in seen if n == "ShutterStatus_RBV"] == ["Open", "Closed"]
            await h.put(CAM + "ShutterMode", "None")

    asyncio.run(do())


def test_high_voltage_status_pool_and_attributes(sim, tmp_path):
    async def do():
        async with hands(sim) as h:
            await h.put(CAM + "HVResetTime", 1.0)
            await h.put(CAM + "HVReset", "Reset")
            assert await h.get(CAM + "HVState_RBV") == "RAMPING"
            await h.until(CAM + "HVState_RBV", "READY")
            await h.until(CAM + "HVReset", "Done")
            climate = await watch(h, "TemperatureActual")
            await h.put(CAM + "ReadStatus", 1)
            assert await h.get(CAM + "ReadStatus") == "Done"
            assert len(climate) == 1
            assert 23 < await h.get(CAM + "TemperatureActual") < 25
            await internal(h, time=0.5)
            await h.set(CAM, NumPreAllocBuffers=5, PreAllocBuffers=1)
            assert await h.get(CAM + "PoolFreeBuffers") >= 5
            # Images of half the depth: the pool is looked at when it is asked.
            memory = await h.get(CAM + "PoolUsedMem")
            await internal(h, time=0.01)
            await h.put(CAM + "PoolPollStats", 1)
            assert await h.get(CAM + "PoolUsedMem") == pytest.approx(memory / 2)
            assert await h.get(CAM + "PoolPollStats") == "Done"
            await h.put(CAM + "EmptyFreeList", 1)
            assert await h.get(CAM + "PoolAllocBuffers") == 0
            await h.put(CAM + "NDAttributesFile", "/none/attributes.xml")
            assert await h.get(CAM + "NDAttributesStatus") == "File not found"
            assert "cannot be read" in await h.get(CAM + "StatusMessage_RBV")
            await h.put(CAM + "NDAttributesFile", "<Attributes><Attribute</Attributes>")
            assert await h.get(CAM + "NDAttributesStatus") == "XML syntax error"
            file = tmp_path / "attributes.xml"
            file.write_text(
                '<Attributes><Attribute name="Omega" type="EPICS_PV" source="$(P)OMEGA.RBV"/></Attributes>'
            )
            await h.set(CAM, NDAttributesMacros="P=SB:MOT:", NDAttributesFile=str(file))
            assert await h.get(CAM + "NDAttributesStatus") == "Attributes file OK"
            await h.put(CAM + "FilePath", str(tmp_path))
            assert await h.get(CAM + "FilePath_RBV") == f"{tmp_path}/"
            assert await h.get(CAM + "FilePathExists_RBV") == "Yes"
            await h.put(CAM + "NDAttributesFile", "")

    asyncio.run(do())


def test_what_is_no_value_at_all_is_told_too(sim):
    async def do():
        async with hands(sim) as h:
            await h.put(CAM + "NumImages", 2)
            put = [
                tool("caput"),
                "-c",
                CAM + "NumImages",
                "many",
            ]  # sends it as text; our own client would not
            environment = client_environment(sim.beamline.ca.sim_port)
            await asyncio.to_thread(subprocess.run, put, env=environment, capture_output=True, check=False)
            await h.until(CAM + "StatusMessage_RBV", lambda text: "many" in text)
            await h.put(CAM + "NumImages", 3)
            assert "many" not in await h.get(CAM + "StatusMessage_RBV")

    asyncio.run(do())


def test_epics_own_tools_acquire_and_read_fields(sim, main):
    environment = client_environment(sim.beamline.ca.sim_port)

    def caput(name, value):
        call("caput", "-c", "-w", "20", CAM + name, value, env=environment)

    def caget(name):
        return call("caget", "-t", CAM + name, env=environment)

    caput("TriggerMode", "Internal Series")
    caput("NumImages", "4")
    caput("AcquirePeriod", "0.02")
    caput("Acquire", "1")
    assert caget("NumImagesCounter_RBV") == "4"
    assert caget("AcquireBusy") == "Done"
    assert caget("DataType_RBV.DISA") == "1"
    assert caget("BinX.RTYP") == "longout"
    assert caget("AsynIO.PORT") == "EIG1"
    assert caget("AsynIO.CNCT") == "Connect"
    assert caget("Wavelength.EGU") == "Angstroms"
    assert caget("Dim0SA_RBV") == caget("ArraySize0_RBV") == "1028"
    assert caget("ClearAcquireBusy.RTYP") == "calcout"
