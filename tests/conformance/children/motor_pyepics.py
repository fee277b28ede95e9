"""The pyepics motor against ours. Argument: prefix of the beamline."""

import sys
import threading

import epics

PREFIX = sys.argv[1]


def main() -> None:
    motor = epics.Motor(f"{PREFIX}MOT:PHI")
    assert motor.RTYP == "motor"
    assert motor.move(3.0, wait=True, timeout=10) == 0
    assert abs(motor.get_position(readback=True) - 3.0) < 1e-9
    assert motor.move(-1.0, relative=True, wait=True, timeout=10) == 0
    assert abs(motor.RBV - 2.0) < 1e-9
    assert motor.move(1e6, wait=True) == -12
    # The record refuses by itself too, and says so.
    assert motor.move(1e6, wait=True, ignore_limits=True, timeout=10) == -4
    assert abs(motor.VAL - 2.0) < 1e-9
    motor.TWV = 0.5
    assert motor.tweak("forward", wait=True, timeout=10) == 0
    assert abs(motor.RBV - 2.5) < 1e-9
    assert motor.tweak("reverse", wait=True, timeout=10) == 0
    assert abs(motor.RBV - 2.0) < 1e-6
    motor.set_position(10.0)
    assert abs(motor.VAL - 10.0) < 1e-9
    assert abs(motor.RBV - 10.0) < 1e-9
    assert motor.move(12.0, wait=True, timeout=10) == 0
    assert motor.get_position(dial=True) == 4.0
    edges: list[int] = []
    subscribed, done = threading.Event(), threading.Event()

    def on_done(value: int = 0, **_: object) -> None:
        edges.append(int(value))
        subscribed.set()
        if edges[-2:] == [0, 1]:
            done.set()

    pv = epics.PV(f"{PREFIX}MOT:PHI.DMOV", callback=on_done, auto_monitor=True)
    pv.wait_for_connection()
    assert subscribed.wait(5)
    motor.move(12.0, wait=False)
    assert done.wait(5), edges
    # Stop on the way: the put that waits comes back.
    motor.put("VELO", 2.0, wait=True)
    epics.caput(f"{PREFIX}MOT:PHI", 1000.0, wait=False)
    epics.ca.poll(0.3)
    motor.stop()
    done.clear()
    assert done.wait(5), edges
    epics.ca.poll(0.1)
    assert motor.VAL == motor.RBV < 20
    # Soft limits follow the offset, and a jog ends before them.
    motor.put("VELO", 60.0, wait=True)
    assert motor.move(-20.0, dial=True, wait=True, timeout=10) == 0
    motor.put("OFF", 100.0, wait=True)
    motor.put("JVEL", 20.0, wait=True)
    motor.put("HLM", 120.0, wait=True)
    epics.ca.poll(0.1)
    assert (motor.VAL, motor.DHLM) == (80.0, 20.0)
    assert not motor.within_limits(121.0)
    done.clear()
    motor.put("JOGF", 1)
    assert done.wait(10), edges
    epics.ca.poll(0.1)
    assert 100.0 < motor.RBV < 110.0
    assert (motor.LVIO, motor.get("JOGF"), motor.VAL) == (1, 0, motor.RBV)
    # Backlash: it comes from below.
    motor.put("BDST", 2.0, wait=True)
    places: list[float] = []
    readback = epics.PV(f"{PREFIX}MOT:PHI.RBV", auto_monitor=True)
    readback.wait_for_connection()
    readback.add_callback(lambda value=0.0, **_: places.append(value))
    assert motor.move(90.0, wait=True, timeout=10) == 0
    epics.ca.poll(0.1)
    assert min(places) == 88.0
    assert places[-1] == 90.0
    print("OK")  # noqa: T201


main()
