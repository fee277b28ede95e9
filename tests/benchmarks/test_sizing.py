"""Whether a storage takes a detector, and what settings suit it: the judgement, without measuring."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sizing import MARGIN, SHARE, Ability, Need, answers, frame_bytes, model, workers
from benchmarks.storage import FileSystem, Settings, Written, file_system
from benchmarks.tune import Trial, advise

EIGER = Need(frame_bytes=4_000_000, rate=133.0, seconds=3600.0)
GOOD = Ability(disk=2e9, cache=4e9, free=4e12, write_us=1000.0, receive_us=600.0, processors=16)
DISK = FileSystem(kind="ext4", mount="/", free=10**13)
MEMORY = FileSystem(kind="tmpfs", mount="/dev/shm", free=10**10)


def changed(**values: object) -> Ability:
    return Ability(**({name: getattr(GOOD, name) for name in GOOD.__slots__} | values))


def test_enough_of_everything_is_a_yes():
    assert all(answer.ok for answer in answers(EIGER, GOOD))


@pytest.mark.parametrize(
    ("short", "what", "advice"),
    [
        ({"disk": 3e8}, "storage", "the page cache takes the first 17.2 s"),
        ({"write_us": 20_000.0, "processors": 2}, "processors", "workers = 4"),
        ({"free": 1e12}, "space", "full after 31.3 min"),
        ({"disk": 3e8, "volatile": True}, "memory", "nothing on it outlives a power cut"),
    ],
)
def test_what_is_short_is_named_with_what_follows(short: dict[str, float], what: str, advice: str):
    wrong = [answer for answer in answers(EIGER, changed(**short)) if not answer.ok]
    assert [answer.what for answer in wrong] == [what]
    assert advice in wrong[0].advice


@given(st.floats(1e6, 1e11))
def test_a_yes_has_a_fifth_in_hand(disk: float):
    storage = answers(EIGER, changed(disk=disk))[0]
    assert storage.ok == (EIGER.bytes_per_second <= disk * (1 - MARGIN))


@given(st.floats(0.1, 1e4), st.floats(1.0, 1e4))
def test_workers_are_as_few_as_have_time_in_hand(rate: float, cost: float):
    need = Need(frame_bytes=1, rate=rate, seconds=1.0)
    many = workers(need, changed(write_us=cost, receive_us=0.0))
    busy = rate * cost * 1e-6
    assert busy / many <= SHARE + 1e-6
    assert many == 1 or busy / (many - 1) > SHARE - 1e-6


def test_frames_of_a_model():
    assert frame_bytes(model("EIGER2 16M"), 16, 9.0) == round(4362 * 4148 * 2 / 9)
    with pytest.raises(ValueError, match="EIGER 1M"):
        model("PILATUS")


def trial(cpu: float, **settings: float) -> Trial:
    return Trial(settings=Settings(**settings), written=Written(frames=1, cpu_us=cpu))


def test_advice_follows_from_the_trials_and_from_the_file_system():
    costs = {0.05: 12.0, 0.08: 10.2, 1.0: 10.0}
    intervals = [trial(cost, flush_interval=interval) for interval, cost in costs.items()]
    counts = [trial(10.0, images_per_file=n) for n in (100, 1000, 10000)]
    fast = advise(EIGER, DISK, intervals=intervals, counts=counts, disk=2e9, many=1)
    assert (fast.flush_interval, fast.images_per_file, fast.workers) == (0.08, 1000, 1)
    volatile = advise(EIGER, MEMORY, intervals=intervals, counts=counts, disk=2e9, many=3)
    assert volatile.durability == "page-cache"
    assert "memory" in " ".join(volatile.reasons)
    assert (volatile.workers, volatile.frames_per_block) == (3, 100)
    short = Need(frame_bytes=500_000, rate=100.0, seconds=10.0)
    assert advise(short, DISK, intervals=intervals, counts=counts, disk=2e9, many=1).durability == "at-close"
    slow = advise(EIGER, DISK, intervals=intervals, counts=counts, disk=2e8, many=1)
    assert slow.durability == "page-cache"
    assert "no setting helps" in slow.reasons[-1]


def test_the_file_system_of_a_directory_is_the_one_mounted_nearest(tmp_path: Path):
    found = file_system(tmp_path)
    assert tmp_path.resolve().is_relative_to(found.mount)
    assert found.free > 0
    assert file_system(Path("/dev/shm")).volatile


@pytest.mark.system
@pytest.mark.parametrize("command", [["bench", "sustain"], ["tune"]])
def test_the_commands_answer_and_leave_nothing(command: list[str], tmp_path: Path):
    need = ["--model", "EIGER2 500K", "--rate", "5", "--minutes", "0.01", "--seconds", "0.02"]
    run = subprocess.run(
        [sys.executable, "-m", "softbeam", *command, str(tmp_path), *need],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert ("YES" if "sustain" in command else '"images_per_file"') in run.stdout
    assert not list(tmp_path.iterdir())
    wrong = subprocess.run(
        [sys.executable, "-m", "softbeam", *command, str(tmp_path / "none"), *need],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert wrong.returncode == 2
    assert "is no directory" in wrong.stderr
