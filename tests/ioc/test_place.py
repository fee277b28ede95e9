"""Where a program serves, from the beamline file and its command line, and what that opens."""

import argparse
from pathlib import Path

import pytest

from ioc.access import Allow
from ioc.place import add_options, exposed, local, place
from layouts.beamline import BeamlineError, default_text, parse

RULES = """
[[ca.rules]]
pvs = ["SB:MOT:*"]
users = ["ann"]
hosts = ["192.0.2.0/24"]
allow = "write"
"""


def where(text, *arguments):
    parser = argparse.ArgumentParser()
    add_options(parser)
    ca = parse(text).ca
    options = parser.parse_args(arguments)
    return place(ca, options, program="sim", prefix="SB:", port=1, other_port=2, children=2)


def test_loopback_without_rules_or_files_unless_told():
    found = where(default_text())
    assert found.interfaces == ("127.0.0.1",)
    assert (found.rules, found.put_log, found.autosave) == ((), None, None)


def test_the_file_says_and_the_command_line_has_the_last_word():
    text = default_text().replace("[ca]\n", '[ca]\nput_log = "a"\nautosave = "b"\ninterface = "127.0.0.9"\n')
    found = where(text + RULES)
    assert (found.put_log, found.autosave, found.interfaces) == (Path("a"), Path("b"), ("127.0.0.9",))
    (rule,) = found.rules
    assert (rule.pvs, rule.users, rule.hosts, rule.allow) == (
        ("SB:MOT:*",),
        ("ann",),
        ("192.0.2.0/24",),
        Allow.WRITE,
    )
    told = where(text, "--interfaces", "127.0.0.1", "192.0.2.7", "--put-log", "c", "--autosave", "d")
    assert (told.put_log, told.autosave, told.interfaces) == (
        Path("c"),
        Path("d"),
        ("127.0.0.1", "192.0.2.7"),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pvs = []", "ca.rules.*pvs"),
        ('pvs = ["a"]\nhosts = ["*.example"]', "hosts have no patterns"),
        ('pvs = ["a"]\nallow = "all"', "'read' or 'write'"),
        ('pv = ["a"]', "pvs"),
    ],
)
def test_wrong_rules_are_said_with_their_place(line, message):
    with pytest.raises(BeamlineError, match=message):
        parse(f"{default_text()}\n[[ca.rules]]\n{line}\n")


@pytest.mark.parametrize(
    ("interfaces", "address"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["192.0.2.7", "127.0.0.5"], "127.0.0.5"),
        (["0.0.0.0"], "127.0.0.1"),
        (["192.0.2.7"], "192.0.2.7"),
    ],
)
def test_programs_on_this_machine_take_the_nearest_way(interfaces, address):
    assert local(interfaces) == address


def test_what_leaving_loopback_opens_is_said():
    assert exposed(["127.0.0.1", "127.0.0.2"], "move motors", 0) == ""
    said = exposed(["127.0.0.1", "192.0.2.7"], "move motors", 0)
    assert said.startswith(
        "serving on 192.0.2.7: whoever reaches it can move motors; there are no access rules"
    )
    assert "every interface" in exposed(["0.0.0.0"], "move motors", 0)
    assert "access rules: 2" in exposed(["192.0.2.7"], "move motors", 2)
