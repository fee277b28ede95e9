"""Each record of a camera is of the class that its table declares: it echoes, or it is acted upon."""

import asyncio
from pathlib import Path

import pytest

import sim as simulator_room
from ioc.records import Kind, PvClass, Record, expand
from ioc.tables.cam import cam
from sim.cam_values import ANGLES
from tests.kit.hands import CAM, hands, internal
from tests.kit.simulated import Receiver, simulator

pytestmark = pytest.mark.system

TABLE = expand(cam())
SIZES = {f"Shutter{way}Delay" for way in ("Open", "Close")}
"""Records whose name is put together where it is used."""


@pytest.fixture(scope="module")
def sim():
    with simulator() as running:
        yield running


def another(record: Record):
    """A value that the record has not at boot."""
    match record.kind:
        case Kind.ENUM:
            return record.choices[-1] if record.default == record.choices[0] else record.choices[0]
        case Kind.STRING | Kind.TEXT:
            return "another"
        case _:
            return type(record.default)(record.default) + 1


def test_what_echoes_is_read_back_and_changes_nothing_else(sim):
    echoes = [r for r in TABLE.values() if r.pv_class is PvClass.ECHOES]
    watched = ("State_RBV", "DetectorState_RBV", "BitDepthImage_RBV", "AcquirePeriod_RBV", "Acquire_RBV")

    async def do():
        async with hands(sim) as h:
            before = [await h.get(CAM + name) for name in watched]
            for record in echoes:
                value = another(record)
                await h.put(CAM + record.name, value)
                assert await h.get(CAM + record.name) == value, record.name
                if record.readback:
                    said = TABLE[f"{record.name}_RBV"]
                    if record.kind is Kind.ENUM:
                        value = said.choices[record.choices.index(value)]
                    assert await h.get(CAM + said.name) == value, record.name
            assert [await h.get(CAM + name) for name in watched] == before

    asyncio.run(do())
    assert len(echoes) > 30


def test_what_acts_is_known_to_the_simulator():
    sources = "".join(p.read_text() for p in Path(simulator_room.__path__[0]).glob("*.py"))
    angles = {f"{word}{what}" for word in ANGLES for what in ("Start", "Incr")}
    acting = {r.name for r in TABLE.values() if r.pv_class is PvClass.ACTS} - SIZES - angles
    assert {name for name in acting if f'"{name}"' not in sources and f'"{name}_RBV"' not in sources} == set()


def test_energies_follow_each_other_and_small_changes_are_left_out(sim):
    async def do():
        async with hands(sim) as h:
            await h.put(CAM + "Wavelength", 1.0)
            assert await h.get(CAM + "PhotonEnergy_RBV") == pytest.approx(12398.42, abs=0.01)
            assert await h.get(CAM + "ThresholdEnergy_RBV") == pytest.approx(6199.21, abs=0.01)
            assert await h.get(CAM + "ThresholdEnergy") == pytest.approx(6199.21, abs=0.01)
            assert await h.get(CAM + "StatusMessage_RBV") == "Wavelength set"
            before = await h.get(CAM + "PhotonEnergy_RBV")
            await h.put(CAM + "PhotonEnergy", before + 0.03)
            assert await h.get(CAM + "PhotonEnergy_RBV") == before
            await h.set(CAM, EnergyEps=0.001, PhotonEnergy=before + 0.03)
            assert await h.get(CAM + "PhotonEnergy_RBV") == before + 0.03
            before = await h.get(CAM + "Wavelength_RBV")
            await h.put(CAM + "Wavelength", before + 0.0003)
            assert await h.get(CAM + "Wavelength_RBV") == before
            await h.set(CAM, WavelengthEps=0.0001, Wavelength=before + 0.0003)
            assert await h.get(CAM + "Wavelength_RBV") == before + 0.0003
            await h.set(CAM, EnergyEps=0.05, WavelengthEps=0.0005, PhotonEnergy=12700.0)
            assert await h.get(CAM + "Threshold2Energy_RBV") == pytest.approx(17780.0)

    asyncio.run(do())


def test_initialize_and_restart_begin_anew(sim):
    with Receiver(sim.beamline.detectors[0].stream.endpoint):

        async def do():
            async with hands(sim) as h:
                await internal(h, images=1)
                for command in ("Initialize", "Restart"):
                    await h.put(CAM + "Acquire", 1)
                    assert await h.get(CAM + "SequenceId") == 1
                    seen = []
                    off = await h.client.subscribe(CAM + command, lambda r, s=seen: s.append(r.value))
                    await h.put(CAM + command, 1)
                    assert seen[-2:] == [command, "Done"]
                    assert await h.get(CAM + "State_RBV") == "idle"
                    assert await h.get(CAM + "StatusMessage_RBV") == "Ready"
                    assert await h.get(CAM + "Link0_RBV") == "Up"
                    off()

        asyncio.run(do())
