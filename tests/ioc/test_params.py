"""Parameters that NDAttributes name, against the record templates and the tables."""

from __future__ import annotations

import json

import pytest

from ioc.records import expand
from ioc.tables.params import CAMERA, PLUGIN, STATISTICS, STATS
from ioc.tables.stats import stats
from tests.kit.interfaces import FOLDER


def parameters(template: str) -> dict[str, set[str]]:
    """The records of each parameter of a template."""
    found: dict[str, set[str]] = {}
    for line in (FOLDER / f"{template}.jsonl").read_text().splitlines():
        record = json.loads(line)
        if "param" in record:
            found.setdefault(record["param"], set()).add(record["name"])
    return found


@pytest.mark.parametrize(("template", "table"), [("eiger1", CAMERA), ("eiger2", CAMERA), ("hdf5", PLUGIN)])
def test_every_parameter_of_the_templates_has_its_readback(template, table):
    for parameter, records in parameters(template).items():
        assert table[parameter] in records
        readbacks = {name for name in records if name.endswith("_RBV")}
        assert not readbacks or table[parameter] in readbacks


def test_of_the_statistics_every_parameter_but_arrays_has_its_readback():
    own = expand(stats())
    arrays = {"waveform"}
    for line in (FOLDER / "stats.jsonl").read_text().splitlines():
        record = json.loads(line)
        parameter = record.get("param")
        if parameter is None or parameter.startswith(("TS_", "PROFILE_", "HIST_ARRAY", "HIST_X")):
            continue
        assert STATS[parameter] in own, parameter
        if record["name"].endswith("_RBV") and record["rtype"] not in arrays:
            assert STATS[parameter] == record["name"]
    assert set(STATISTICS) < set(STATS)
