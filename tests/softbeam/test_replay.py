"""The script of put logs: what is put again and when, what it waits for, and what cannot be read."""

import json

import pytest
from typer.testing import CliRunner

from ioc.putlog import PutLog
from ioc.puts import Client, Put
from softbeam.__main__ import app
from softbeam.replay import LogError, main, read, script

ANN = Client("ann", "ws1", "192.0.2.7")


def put(number, at, pv="SB:X", value=1, **more):
    return Put(number=number, pv=pv, value=value, client=ANN, at=at, **more)


def log(path, *puts):
    writer = PutLog(path, "sim", "SB:")
    for one in puts:
        writer(one)
    writer.close()
    return path


def calls(*files):
    text = script(read(files))
    compile(text, "replay", "exec")
    return text.partition('exit(f"put {number} was not done')[2].splitlines()[3:-1]


def test_puts_are_done_again_in_their_order_with_their_spacing(tmp_path):
    file = log(tmp_path / "a", put(1, 10.0), put(2, 10.25, "SB:Y", "it's"), put(3, 12.0, "SB:Z", [1.0, 2.0]))
    assert calls(file) == [
        "put(1, 'SB:X', 1)  # ann@ws1",
        "after(0.250)",
        "put(2, 'SB:Y', \"it's\")  # ann@ws1",
        "after(1.750)",
        "put(3, 'SB:Z', [1.0, 2.0])  # ann@ws1",
    ]


def test_what_came_after_an_end_waits_for_it_and_what_came_before_does_not(tmp_path):
    slow = put(1, 10.0, "SB:Acquire", "Acquire", waits=True)
    file = log(
        tmp_path / "a",
        slow,
        put(2, 11.0, "SB:Meanwhile"),
        put(1, 10.0, "SB:Acquire", "Acquire", waits=True, ended=15.0),
        put(3, 15.5, "SB:Then"),
    )
    assert calls(file) == [
        "put(1, 'SB:Acquire', 'Acquire', complete=True)  # ann@ws1",
        "after(1.000)",
        "put(2, 'SB:Meanwhile', 1)  # ann@ws1",
        "done(1)",
        "after(0.500)",
        "put(3, 'SB:Then', 1)  # ann@ws1",
    ]


def test_refused_puts_are_told_and_not_done(tmp_path):
    file = log(
        tmp_path / "a",
        put(1, 10.0, taken=False, error="read-only\nby rule 1", waits=True),
        put(2, 11.0, waits=True),
        put(2, 11.0, waits=True, ended=12.0, error="no such directory"),
    )
    assert calls(file) == [
        "# refused: SB:X 1 of ann@ws1: read-only by rule 1",
        "put(2, 'SB:X', 1, complete=True)  # ann@ws1",
        "done(2)  # it failed: no such directory",
    ]


def test_logs_of_both_programs_are_one_and_numbers_do_not_meet(tmp_path):
    sim = log(
        tmp_path / "sim", put(1, 10.0, "SB:A", waits=True), put(1, 10.0, "SB:A", waits=True, ended=13.0)
    )
    log(sim, put(1, 20.0, "SB:C"))  # the simulator was started again: it counts from 1
    writer = log(tmp_path / "writer", put(1, 11.0, "SB:B"))
    numbers = [line.partition("  #")[0] for line in calls(sim, writer)]
    assert numbers == [
        "put(1, 'SB:A', 1, complete=True)",
        "after(1.000)",
        "put(3, 'SB:B', 1)",
        "done(1)",
        "after(7.000)",
        "put(2, 'SB:C', 1)",
    ]


def test_older_files_are_read_first(tmp_path):
    path = tmp_path / "a"
    writer = PutLog(path, "sim", "SB:", limit=500)
    for number in range(1, 10):
        writer(put(number, float(number)))
    writer.close()
    assert [entry.at for entry in read([path])] == [float(n) for n in range(1, 10)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), [1.0, float("nan")]])
def test_numbers_that_are_none_stand_in_the_script(tmp_path, value):
    (line,) = calls(log(tmp_path / "a", put(1, 10.0, value=value)))
    found = []
    eval(line, {"put": lambda *arguments: found.append(arguments)})
    assert repr(found[0][2]) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense\n", "a:1: not JSON"),
        ("[1]\n", "a:1: no line"),
        ('{"put": 1}\n', "a:1: no line .* is missing"),
    ],
)
def test_what_is_no_log_is_said_with_its_line(tmp_path, text, message):
    file = tmp_path / "a"
    file.write_text(text)
    with pytest.raises(LogError, match=message):
        read([file])
    done = CliRunner().invoke(app, ["puts", str(file)])
    assert done.exit_code == 2
    assert "a:1:" in done.stderr


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    file = log(tmp_path / "a", put(1, 10.0))
    with file.open("a") as half:
        half.write('{"put": 2, "at"')
    assert len(read([file])) == 1


def test_the_command_writes_a_program(tmp_path):
    file, out = log(tmp_path / "a", put(1, 10.0)), tmp_path / "again.py"
    assert "1 puts" in main([file], out)
    assert out.stat().st_mode & 0o111
    done = CliRunner().invoke(app, ["puts", str(file)])
    assert done.exit_code == 0
    assert done.stdout == out.read_text()
    missing = CliRunner().invoke(app, ["puts", str(tmp_path / "none")])
    assert missing.exit_code == 2
    assert json.dumps(str(tmp_path / "none"))[1:-1] in missing.stderr
