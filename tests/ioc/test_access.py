"""Access rules: which of them decides, for whom, and what cannot be a rule."""

import pytest

from ioc.access import AccessError, Allow, Rule, fits, gate
from ioc.puts import Client

ANN = Client("ann", "ws1", "192.0.2.7")
BOB = Client("bob", "ws1", "198.51.100.3")


def refused(rules, pv, client, **names):
    return gate(rules, names.get)(pv, client)


@pytest.mark.parametrize(
    ("pattern", "pv", "fitting"),
    [
        ("SB:MOT:OMEGA", "SB:MOT:OMEGA.VAL", True),
        ("SB:MOT:OMEGA", "SB:MOT:OMEGA", True),
        ("SB:MOT:OMEGA", "SB:MOT:OMEGA2.VAL", False),
        ("SB:MOT:OMEGA.VELO", "SB:MOT:OMEGA.VELO", True),
        ("SB:MOT:OMEGA.VELO", "SB:MOT:OMEGA.VAL", False),
        ("SB:MOT:*", "SB:MOT:CHI.TWF", True),
        ("*:cam1:Acquire", "SB:EIG1:cam1:Acquire", True),
        ("*:cam1:Acquire", "SB:EIG1:cam1:AcquireTime", False),
        ("SB:EIG?:HDF1:*", "SB:EIG2:HDF1:Capture", True),
        ("sb:*", "SB:ACQ:Start", False),
    ],
)
def test_a_pattern_without_a_field_is_the_whole_record(pattern, pv, fitting):
    assert fits(Rule(pvs=(pattern,)), pv) is fitting


def test_without_rules_everybody_may_put():
    assert refused([], "SB:ACQ:Start", BOB) == ""


def test_what_no_rule_fits_is_allowed():
    assert refused([Rule(pvs=("SB:MOT:*",))], "SB:ACQ:Start", BOB) == ""


def test_the_first_rule_that_fits_decides():
    rules = [
        Rule(pvs=("SB:MOT:*",), users=("ann",), allow=Allow.WRITE),
        Rule(pvs=("SB:MOT:*",)),
        Rule(pvs=("SB:MOT:*",), users=("bob",), allow=Allow.WRITE),
    ]
    assert refused(rules, "SB:MOT:CHI.VAL", ANN) == ""
    said = refused(rules, "SB:MOT:CHI.VAL", BOB)
    assert "SB:MOT:CHI.VAL may not be put by bob at 198.51.100.3" in said
    assert "rule 2" in said


@pytest.mark.parametrize(
    ("host", "fitting"),
    [
        ("192.0.2.7", True),
        ("192.0.2.0/24", True),
        ("192.0.3.0/24", False),
        ("beamline-ws", True),
        ("*", True),
    ],
)
def test_a_host_is_the_address_of_the_socket_and_not_what_the_client_says(host, fitting):
    rule = Rule(pvs=("SB:*",), hosts=(host,))
    liar = Client("ann", "beamline-ws", "198.51.100.3")
    known = {"beamline-ws": ["192.0.2.7"]}
    assert bool(refused([rule], "SB:X", ANN, **known)) is fitting
    assert bool(refused([rule], "SB:X", liar, **known)) is (host == "*")


def test_a_host_without_an_address_is_no_rule():
    """It would fit nobody, and so leave open what it is there to close."""

    def unknown(_):
        raise OSError("not known")

    with pytest.raises(AccessError, match=r"'nowhere' has no address .*network"):
        gate([Rule(pvs=("SB:*",), hosts=("nowhere",))], unknown)
