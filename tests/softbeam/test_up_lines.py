"""What ``softbeam up`` says of who may do what, before anything runs."""

from pathlib import Path

from layouts.beamline import load
from layouts.beamline_ca import AccessRule
from softbeam.up import Wishes, plainly


def said(*rules, **wishes):
    b = load()
    b = b.model_copy(update={"ca": b.ca.model_copy(update={"rules": rules})})
    return list(plainly(b, Wishes(**wishes)))


def test_a_beamline_as_it_comes():
    assert said() == [
        "SB: at 127.0.0.1, ports 5164 and 5166: this computer only",
        "no access rules: whoever reaches it may put",
        "puts are not logged",
        "settings are not saved",
    ]


def test_a_beamline_that_is_open_to_others():
    lines = said(interfaces=["127.0.0.1", "192.0.2.7"], put_log=Path("logs"), autosave=Path("kept"))
    assert lines[0] == "SB: at 127.0.0.1 and 192.0.2.7, ports 5164 and 5166: OTHER COMPUTERS TOO"
    assert lines[2:] == [
        "puts are logged in logs/sim-puts.jsonl and logs/writer-puts.jsonl",
        "settings are saved in kept",
    ]


def test_a_rule_that_is_about_nothing_is_a_warning():
    lines = said(AccessRule(pvs=("SB:MOT:OMEGA",)), AccessRule(pvs=("SB:MOTOR:*", "SB:X")))
    assert "2 access rules" in lines[1]
    assert [line for line in lines if "WARNING" in line] == [
        "WARNING: access rule 2 fits no PV: SB:MOTOR:*, SB:X"
    ]


def test_options_go_on_to_the_programs():
    assert Wishes().options() == []
    assert Wishes(interfaces=["a", "b"], put_log=Path("c"), autosave=Path("d")).options() == [
        *("--interfaces", "a", "b"),
        *("--put-log", Path("c")),
        *("--autosave", Path("d")),
    ]
