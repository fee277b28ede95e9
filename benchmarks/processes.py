"""Processes of a benchmark: started, waited for by what they say, ended whatever happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class BenchmarkError(RuntimeError):
    """A run that did not do what is measured."""


@contextmanager
def running(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python module as a process that has said READY; it is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        expect(process, "READY")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def go(process: subprocess.Popen[str]) -> None:
    """Let it begin: a line on its stdin."""
    if process.stdin is None:
        raise BenchmarkError(f"{process.args}: has no stdin")
    process.stdin.write("go\n")
    process.stdin.flush()


def expect(process: subprocess.Popen[str], word: str) -> str:
    """The next line of a process, which begins with a word.

    Raises:
        BenchmarkError: It does not.
    """
    line = "" if process.stdout is None else process.stdout.readline()
    if not line.startswith(word):
        raise BenchmarkError(f"{process.args}: said {line!r} where {word} was due")
    return line
