"""The put log: lines of puts and of their ends, and files that do not grow for ever."""

import json
import math
import re

import pytest

from ioc.putlog import KEPT, PutLog, from_json, rotated, to_json
from ioc.puts import Client, Put

ANN = Client("ann", "ws1", "192.0.2.7")


def put(number=1, value=1.0, **more):
    return Put(number=number, pv="SB:X", value=value, client=ANN, at=100.0 + number, **more)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    made = PutLog(tmp_path / "made" / "sim-puts.jsonl", "sim", "SB:")
    yield made
    made.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "made" / "sim-puts.jsonl"


def test_a_put_is_a_line_with_who_and_when(log, file):
    log(put(value="Acquire"))
    log(put(value="Acquire", ended=150.0))
    begin, one = lines(file)
    assert (begin["begin"], begin["prefix"]) == ("sim", "SB:")
    assert one == {
        "put": 1,
        "at": 101.0,
        "pv": "SB:X",
        "value": "Acquire",
        "user": "ann",
        "host": "ws1",
        "address": "192.0.2.7",
    }


def test_one_that_is_waited_for_has_a_line_at_its_end(log, file):
    log(put(waits=True))
    log(put(2))
    log(put(waits=True, ended=150.0))
    _, one, two, end = lines(file)
    assert one["waits"] is True
    assert "waits" not in two
    assert end == {"end": 1, "at": 150.0}


def test_one_that_is_refused_says_why(log, file):
    log(put(taken=False, error="read-only"))
    log(put(2))
    log(put(2, error="no such directory", ended=150.0))
    _, refused, taken, end = lines(file)
    assert refused["error"] == "read-only"
    assert "error" not in taken
    assert end == {"end": 2, "at": 150.0, "error": "no such directory"}


@pytest.mark.parametrize("value", [1.5, 7, "text", [1.0, 2.0], math.inf, -math.inf, [1.0, math.inf]])
def test_values_come_back_from_json(value):
    text = json.dumps(to_json(value), allow_nan=False)
    assert from_json(json.loads(text)) == value


def test_what_is_no_number_comes_back():
    assert math.isnan(from_json(json.loads(json.dumps(to_json(math.nan), allow_nan=False))))


def test_files_do_not_grow_for_ever(tmp_path):
    path = tmp_path / "puts.jsonl"
    log = PutLog(path, "sim", "SB:", limit=1000)
    for number in range(1, 200):
        log(put(number))
    log.close()
    files = [rotated(path, number) for number in range(KEPT, 0, -1)] + [path]
    assert all(file.stat().st_size < 1300 for file in files)
    assert not rotated(path, KEPT + 1).exists()
    kept = [line["put"] for file in files for line in lines(file) if "put" in line]
    assert kept == list(range(kept[0], 200))


def test_a_full_disk_is_said_once_and_stops_nothing(log, caplog):
    class Full:
        def tell(self):
            return 0

        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    log._file.close()
    log._file = Full()
    log(put())
    log(put(2))
    assert len(re.findall("No space left", caplog.text)) == 1
