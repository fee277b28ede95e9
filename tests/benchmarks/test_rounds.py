"""What benchmarks make of their samples: order, ratios, losses against recorded ones, what is printed."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import pool
from benchmarks.report import Finding, Result, draw, show
from benchmarks.rounds import Ratio, Sample, cheaper, faster, interleaved, ratio
from benchmarks.suite import losses
from layouts.stream.messages import Codec
from layouts.stream.payloads import check_blocks


def test_rounds_go_there_and_back():
    seen: list[str] = []

    def contender(name: str):
        def run() -> Sample:
            seen.append(name)
            return Sample(cpu=1.0)

        return run

    found = interleaved({name: contender(name) for name in "abc"}, 3)
    assert "".join(seen) == "abccbaabc"
    assert {name: len(each) for name, each in found.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_ratio_is_taken_within_each_round():
    assert ratio([1.0, 10.0, 4.0], [2.0, 10.0, 2.0]) == Ratio(median=1.0, low=0.5, high=2.0)
    samples = {
        "limit": [Sample(cpu=8.0, rate=100.0), Sample(cpu=6.0, rate=50.0)],
        "ours": [Sample(cpu=10.0, rate=90.0), Sample(cpu=8.0, rate=50.0)],
    }
    assert cheaper(samples, "limit", "ours").low == 0.75
    assert faster(samples, "ours", "limit").low == 0.9


def _finding(median: float) -> Finding:
    samples = {"pwrite": [Sample(cpu=5.0, rate=7.0)], "worker": [Sample(cpu=10.0)]}
    ratios = {"pwrite/worker": Ratio(median=median, low=0.4, high=0.9)}
    result = Result(
        case="10 kB", samples=samples, ratios=ratios, bars={"pwrite/worker": 0.65}, more={"x": 2.0}
    )
    return Finding(name="alone", title="writer alone", results=[result], notes=["a note"])


@pytest.mark.parametrize(("median", "lost"), [(0.41, 1), (0.43, 0), (0.9, 0)])
def test_a_ratio_far_under_the_recorded_one_is_lost(median: float, lost: int):
    recorded = {"alone": {"10 kB": {"pwrite/worker": 0.6}, "1 GB": {"pwrite/worker": 1.0}}, "other": {}}
    found = losses([_finding(median)], recorded)
    assert len(found) == lost
    assert all("alone, 10 kB: pwrite/worker is 0.41, 0.60 was recorded" in each for each in found)


def test_a_finding_is_shown_whole(tmp_path: Path):
    text = io.StringIO()
    show(_finding(0.5), Console(file=text, width=150, highlight=False))
    table = text.getvalue()
    for words in (
        "writer alone",
        "10 kB",
        "pwrite/worker",
        "0.50 (0.40-0.90)",
        "0.65",
        "a note",
        "processors",
    ):
        assert words in table
    told = json.loads(table.splitlines()[-1])
    assert told["results"][0]["ratios"]["pwrite/worker"]["bar"] == 0.65
    assert told["results"][0]["samples"]["pwrite"] == [{"cpu_us": 5.0, "per_s": 7.0}]
    draw([_finding(0.5)], tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 5000


def test_pools_are_frames_of_the_wanted_size_that_a_worker_takes(tmp_path: Path):
    made = pool.random(50_000)
    assert {len(blob) for blob in made.blobs} == {50_000}
    assert len(set(made.blobs)) == pool.COUNT
    assert pool.load(made.save(tmp_path / "pool")) == made
    for payload in made.payloads:
        assert payload.codec is Codec.BSLZ4
        check_blocks(payload)
