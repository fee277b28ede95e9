"""Frames are dealt to workers and files and found again."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.raw.mapping import Location, Mapping

mappings = st.builds(
    Mapping,
    rows_per_file=st.integers(0, 7),
    workers=st.integers(1, 5),
    block=st.integers(1, 6),
)


@given(mapping=mappings, place=st.integers(0, 10**7))
def test_a_place_is_found_again(mapping, place):
    assert mapping.place(mapping.locate(place)) == place


@given(mapping=mappings, places=st.integers(0, 200))
def test_files_hold_every_place_once_without_holes(mapping, places):
    locations = [mapping.locate(place) for place in range(places)]
    assert len(set(locations)) == places
    per_file = Counter((location.worker, location.file) for location in locations)
    for worker in range(mapping.workers):
        rows = mapping.files(worker, places)
        assert sum(rows) == mapping.count(worker, places)
        assert {(worker, file): count for file, count in enumerate(rows)} == {
            key: count for key, count in per_file.items() if key[0] == worker
        }
    for location in locations:
        assert location.row < per_file[location.worker, location.file]


def test_odins_own_case():
    # 105 frames, blocks of 10, 4 writers: what odin's tests assert
    mapping = Mapping(workers=4, block=10)
    assert [mapping.count(worker, 105) for worker in range(4)] == [30, 30, 25, 20]


def test_one_worker_and_one_file_is_the_identity():
    assert Mapping().locate(12345) == Location(0, 0, 12345)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="is no mapping"):
        Mapping(workers=0)


@given(
    mapping=mappings,
    worker=st.integers(0, 4),
    begin=st.integers(0, 60),
    length=st.integers(0, 60),
)
def test_combs_are_the_places_of_a_worker_in_three_pieces_at_most(mapping, worker, begin, length):
    worker %= mapping.workers
    combs = list(mapping.combs(worker, begin, begin + length))
    found = [
        comb.place + turn * mapping.stride + within
        for comb in combs
        for turn in range(comb.count)
        for within in range(comb.block)
    ]
    assert found == [mapping.at(worker, index) for index in range(begin, begin + length)]
    assert found == mapping.places(worker, begin, begin + length).tolist()
    assert [mapping.index(place) for place in found] == [(worker, begin + i) for i in range(length)]
    assert len(combs) <= (1 if mapping.workers == 1 else 3)
    assert [comb.index - begin for comb in combs] == [
        sum(c.size for c in combs[:i]) for i in range(len(combs))
    ]


@given(mapping=mappings, places=st.sets(st.integers(0, 200)))
def test_each_place_is_among_its_workers_numbers(mapping, places):
    ordered = np.array(sorted(places), dtype=np.int64)
    for worker in range(mapping.workers):
        mine = [mapping.index(p)[1] for p in sorted(places) if mapping.index(p)[0] == worker]
        assert mapping.indices(worker, ordered).tolist() == mine
