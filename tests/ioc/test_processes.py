"""What the system says of processes: texts taken apart, families and loads, and this very process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ioc.processes import Usage, descriptors, family, load, look, usage

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def stat(name="python", state="S", parent=1, user=0, system=0, threads=1, pages=0):
    fields = ["0"] * 49
    fields[0:2] = [state, str(parent)]
    fields[11:13] = [str(user), str(system)]
    fields[17], fields[21] = str(threads), str(pages)
    return f"42 ({name}) {' '.join(fields)}\n"


def used(cpu=0.0, parent=1, memory=0, **more):
    return Usage(cpu=cpu, memory=memory, threads=1, parent=parent, **more)


@pytest.mark.parametrize("name", ["python", "a b", "(sd-pam)", ") R 7 7 ("])
def test_a_status_is_read_whatever_the_process_is_called(name):
    said = usage(stat(name, parent=7, user=3 * TICK, system=TICK, threads=5, pages=10))
    assert said == Usage(cpu=4.0, memory=10 * PAGE, threads=5, parent=7)
    assert usage(stat(state="Z")).zombie


def test_what_is_no_status_is_said():
    with pytest.raises(ValueError, match="no process status"):
        usage("42 (python) S 1")


def test_a_family_has_grandchildren_and_no_dead():
    known = {
        1: used(),
        2: used(parent=1),
        3: used(parent=2),
        4: used(parent=1, zombie=True),
        5: used(parent=9),
    }
    assert family(known, 1) == {1, 2, 3}


def test_load_is_what_was_used_meanwhile():
    before = {1: used(10.0, 0), 2: used(5.0)}
    now = {1: used(10.5, 0, 100), 2: used(7.0, memory=10), 3: used(1.0, 2, 1), 9: used(50.0, 8, 1000)}
    found = load(before, now, 1, 2.0)
    assert (found.cpu, found.tree_cpu) == (25.0, 25.0 + 100.0 + 50.0)
    assert (found.memory, found.tree_memory, found.children) == (100, 111, 1)


def test_this_process_and_its_child():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        known = look(os.getpid())
        assert known[os.getpid()].memory > 1_000_000
        assert known[child.pid].parent == os.getpid()
        assert load(known, known, os.getpid(), 1.0).children >= 1
    finally:
        child.communicate(b"\n")
    assert look(2**30) == {}


def test_open_descriptors_are_counted():
    before = descriptors()
    with Path(os.devnull).open():
        assert descriptors() == before + 1
