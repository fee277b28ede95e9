"""The grammar of faults."""

import pytest

from sim import faults


def test_an_empty_text_is_no_fault():
    assert faults.parse("") == faults.NONE
    assert not faults.parse(" ; \n").any


def test_each_word():
    found = faults.parse(
        "drop 3, 7-9; duplicate 5;truncate 12=100; truncate 13; stall 20=5.0; delay-end 2; no-end; "
        "lose-start; crash 30"
    )
    assert [n for n in range(12) if found.dropped(n)] == [3, 7, 8, 9]
    assert [found.copies(n) for n in (4, 5)] == [1, 2]
    assert [len(found.cut(n, bytes(1000))) for n in (11, 12, 13)] == [1000, 100, 500]
    assert found.stall == {20: 5.0}
    assert (found.delay_end, found.no_end, found.lose_start, found.crash) == (2.0, True, True, 30)
    assert found.any


@pytest.mark.parametrize(
    "text",
    ["lose", "drop", "drop x", "drop 9-3", "drop -1", "stall 3", "stall 3=-1", "stall 3=nan", "no-end 3",
     "crash", "truncate 3=x", "delay-end", "drop 1; explode 2"],
)  # fmt: skip
def test_what_is_no_fault_is_told_with_the_grammar(text):
    with pytest.raises(faults.FaultError, match="right are: drop 3,7-9"):
        faults.parse(text)
