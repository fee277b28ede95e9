"""External Gate: images made of gates, pairs of images, and the delay of a trigger."""

from dataclasses import replace

import pytest

from layouts.beamline import load
from sim import commands
from sim.agenda import Agenda
from sim.detector import initial_config
from sim.eiger import GATE_READOUT, Arm, Eiger, Initialize, Produced, Pulse, SendEnd, State, Trigger, step
from sim.eiger_config import EigerConfig, GateMode, TriggerMode, set_value

BEAMLINE = load()
CONFIG = initial_config(BEAMLINE, BEAMLINE.detectors[0])


def armed(**config: object) -> Eiger:
    eiger, _ = step(Eiger(config=replace(CONFIG, **config)), Initialize(), 0.0)
    return step(eiger, Arm(), 0.0)[0]


def gates(eiger: Eiger, *pulses: tuple[float, float]):
    actions = []
    for at, width in pulses:
        eiger, more = step(eiger, Pulse(at=at, width=width), at)
        actions += more
    return eiger, actions


def test_hdr_sums_its_gates_into_one_image_of_32_bits():
    eiger = armed(trigger_mode=TriggerMode.EXTG, nexpi=3, nimages=2)
    assert (eiger.config.bit_depth_image, eiger.config.sub_frames, eiger.total) == (32, 1, 2)
    eiger, actions = gates(eiger, (1.0, 0.01), (1.1, 0.02))
    assert actions == []
    assert (len(eiger.gates), eiger.state) == (2, State.ACQUIRE)
    eiger, (image,) = gates(eiger, (1.2, 0.03))
    assert (image.first, image.count, image.at) == (0, 1, 1.0)
    assert image.count_time == pytest.approx(0.23)
    assert image.live == pytest.approx(0.06)
    assert eiger.gates == ()
    # The readout follows the last gate; what comes in it is lost.
    eiger, lost = gates(eiger, (1.231, 0.01))
    assert (lost, eiger.lost_triggers) == ([], 1)
    eiger, (image,) = gates(eiger, (1.23 + GATE_READOUT, 0.01), (1.4, 0.01), (1.5, 0.01))
    assert image.first == 1
    eiger, actions = step(eiger, Produced(series=1, frames=2), 2.0)
    assert actions == (SendEnd(series=1),)
    assert eiger.state is State.IDLE


def test_pump_and_probe_gives_pairs_by_turns():
    eiger = armed(trigger_mode=TriggerMode.EXTG, extg_mode=GateMode.PUMP_PROBE, nexpi=2, nimages=3)
    assert eiger.config.bit_depth_image == 16
    eiger, images = gates(eiger, (1.0, 0.1), (2.0, 0.2), (3.0, 0.1), (4.0, 0.2))
    assert [(i.first, i.at) for i in images] == [(0, 1.0), (1, 2.0)]
    assert [i.live for i in images] == [pytest.approx(0.2), pytest.approx(0.4)]
    # The series is full in the middle of a pair: the second of it is not read.
    eiger, images = gates(eiger, (5.0, 0.1), (6.0, 0.2), (7.0, 0.1), (8.0, 0.2))
    assert [i.first for i in images] == [2]
    assert gates(eiger, (9.0, 0.1))[0].lost_triggers == 1


def test_an_end_in_the_middle_of_an_image_drops_its_gates():
    eiger, _ = gates(armed(trigger_mode=TriggerMode.EXTG, nexpi=5), (1.0, 0.1))
    ended, _ = step(eiger, Initialize(), 1.5)
    assert ended.gates == ()


def test_light_is_counted_in_the_gates_alone():
    _, (image,) = gates(armed(trigger_mode=TriggerMode.EXTG, nexpi=2), (1.0, 0.1), (2.0, 0.3))
    agenda = Agenda()
    agenda.add(commands.from_line(commands.to_line(image), CONFIG))  # type: ignore[arg-type]
    slot = agenda.peek()
    assert slot is not None
    assert (slot.opens, slot.closes) == (1.0, pytest.approx(2.3))
    assert slot.exposed == pytest.approx(0.4)


@pytest.mark.parametrize(("mode", "late"), [("ints", 0.25), ("inte", 0.0)])
def test_the_delay_of_a_trigger_counts_in_series_modes(mode, late):
    config: EigerConfig = set_value(CONFIG, "trigger_start_delay", 0.25)[0]
    eiger = armed(trigger_mode=TriggerMode(mode), trigger_start_delay=config.trigger_start_delay)
    _, (expose,) = step(eiger, Trigger(), 10.0)
    assert expose.at == 10.0 + late
