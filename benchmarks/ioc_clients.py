"""Clients of the Channel Access benchmark, each a process: says READY, does one thing, prints what it saw.

Connecting and putting is done through libca by pyepics, as by users; what takes many clients at once by our
own client, and pipelined gets by bytes alone, so that the client costs little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from typing import Any

from benchmarks.ioc_records import CHARS, COUNTER, LONGS, PREFIX, records
from ioc import wire
from ioc.client import Client, Reading
from ioc.wire import Command, Message

_PATIENCE = 20.0
"""Seconds after which a client gives up."""


def connect(port: int, number: int, each: bool) -> dict[str, float]:
    """Connect PVs with pyepics, all at once or one after another."""
    _ = port
    import epics

    names = [PREFIX + record.name for record in records()][:number]
    # What pyepics does once in a process is not the server's.
    epics.PV(PREFIX + COUNTER).wait_for_connection(_PATIENCE)
    _ready()
    began = time.monotonic()
    pvs = []
    for name in names:
        pvs.append(epics.PV(name, auto_monitor=False))
        if each:
            pvs[-1].wait_for_connection(_PATIENCE)
    while not all(pv.connected for pv in pvs) and time.monotonic() - began < _PATIENCE:
        epics.ca.poll(evt=1e-3, iot=1.0)
    return {
        "connected": sum(bool(pv.connected) for pv in pvs),
        "asked": number,
        "s": time.monotonic() - began,
    }


def put(port: int, seconds: float) -> dict[str, float]:
    """Put with completion to a PV that the same client watches, one after another."""
    _ = port
    import epics

    seen: list[int] = []
    pv = epics.PV(PREFIX + COUNTER, auto_monitor=True, callback=lambda value, **_: seen.append(value))
    pv.wait_for_connection(_PATIENCE)
    pv.put(0, wait=True)
    _ready()
    began = time.monotonic()
    done = 0
    while (now := time.monotonic()) - began < seconds:
        done += 1
        pv.put(done, wait=True)
    deadline = now + 2.0
    while seen[-1] != done and time.monotonic() < deadline:
        time.sleep(0.01)
    return {"puts": done, "last": seen[-1], "per_s": done / (now - began)}


def watch(port: int, last: int) -> dict[str, float]:
    """Count the monitors of the counter until it has its last value."""

    async def whole() -> dict[str, float]:
        client = Client([f"127.0.0.1:{port}"])
        values: list[Any] = []
        ended = asyncio.Event()
        at = 0.0

        def heard(reading: Reading) -> None:
            nonlocal at
            values.append(reading.value)
            if len(values) == 1:
                _ready()
            if reading.value == last:
                at = time.monotonic()
                ended.set()

        await client.subscribe(PREFIX + COUNTER, heard)
        try:
            await asyncio.wait_for(ended.wait(), _PATIENCE)
        except TimeoutError:
            pass
        finally:
            await client.close()
        # The first is the value of before.
        return {"monitors": len(values) - 1, "last": values[-1] if values else -1, "at": at}

    return asyncio.run(whole())


def drive(port: int, number: int, per_second: float) -> dict[str, float]:
    """Put numbers from 1 on, without waiting for completion; as fast as it goes, or at a rate."""

    async def whole() -> dict[str, float]:
        client = Client([f"127.0.0.1:{port}"])
        await client.connect([PREFIX + COUNTER])
        _ready()
        sys.stdin.readline()
        began = time.monotonic()
        for value in range(1, number + 1):
            await client.put(PREFIX + COUNTER, value)
            if per_second:
                await asyncio.sleep(max(0.0, began + value / per_second - time.monotonic()))
        # The reply of a get says that all have been taken.
        ended = time.monotonic()
        await client.get(PREFIX + COUNTER, timeout=_PATIENCE)
        taken = time.monotonic()
        await client.close()
        return {"at": ended, "taken": taken - began, "s": ended - began}

    return asyncio.run(whole())


def gets(port: int, number: int, rounds: int) -> dict[str, float]:
    """Get many PVs in one packet, again and again; then one large array."""
    connection = socket.create_connection(("127.0.0.1", port), _PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    hello = (Message(Command.VERSION, count=wire.VERSION), Message(Command.CLIENT_NAME, payload=b"bench\0"))
    connection.sendall(b"".join(message.encode() for message in hello))
    numbers = [r.name for r in records() if r.length == 1][:number]
    names = [*numbers, LONGS, CHARS]
    for cid, name in enumerate(names):
        payload = wire.text_payload(PREFIX + name)
        connection.sendall(Message(Command.CREATE_CHAN, 0, 0, cid, wire.VERSION, payload).encode())
    channels: dict[int, Message] = {}
    buffer = bytearray()
    while len(channels) < len(names):
        buffer += connection.recv(1 << 16)
        channels |= {m.p1: m for m in wire.split(buffer) if m.command == Command.CREATE_CHAN}
    asked = b"".join(_get(channels[cid], cid).encode() for cid in range(len(numbers)))
    for cid, size in ((len(numbers), 4), (len(numbers) + 1, 1)):
        channel = channels[cid]
        # A waveform is empty until somebody has filled it.
        payload = bytes([1]) * (channel.count * size)
        put = Message(Command.WRITE_NOTIFY, channel.data_type, channel.count, channel.p2, cid, payload)
        connection.sendall(put.encode())
        _replies(connection, buffer, 1, Command.WRITE_NOTIFY)
    # What is read for the first time is what it is for the first client of a day.
    connection.sendall(asked)
    _replies(connection, buffer, len(numbers))
    _ready()
    began = time.monotonic()
    for _ in range(rounds):
        connection.sendall(asked)
        _replies(connection, buffer, len(numbers))
    found = {"per_s": rounds * len(numbers) / (time.monotonic() - began)}
    for kind, cid in (("longs", len(numbers)), ("chars", len(numbers) + 1)):
        request = _get(channels[cid], cid).encode()
        began, taken = time.monotonic(), 0
        while time.monotonic() - began < 0.05 * rounds and taken < 20 * rounds:
            connection.sendall(request)
            _replies(connection, buffer, 1)
            taken += 1
        found[kind] = taken / (time.monotonic() - began)
    connection.close()
    return found


def _get(channel: Message, ioid: int) -> Message:
    return Message(Command.READ_NOTIFY, channel.data_type + 14, 0, channel.p2, ioid)


def _replies(
    connection: socket.socket, buffer: bytearray, number: int, expected: int = Command.READ_NOTIFY
) -> None:
    """Read over so many replies, looking at what they are and whether all is well."""
    while number:
        while len(buffer) >= 16:
            size, count = struct.unpack_from(">2xH2xH", buffer)
            start = 16
            if size == 0xFFFF and count == 0:
                if len(buffer) < 24:
                    break
                size, start = struct.unpack_from(">I", buffer, 16)[0], 24
            if len(buffer) < start + size:
                break
            command, status = struct.unpack_from(">H6xI", buffer)
            if (command, status) != (expected, 1) or (expected == Command.READ_NOTIFY and not size):
                raise SystemExit(f"a request was answered with {bytes(buffer[:start])!r}")
            del buffer[: start + size]
            number -= 1
        if number:
            buffer += connection.recv(1 << 20)


def _ready() -> None:
    sys.stdout.write("READY\n")
    sys.stdout.flush()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["connect", "each", "put", "watch", "drive", "gets"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    match given.what:
        case "connect" | "each":
            seen = connect(given.port, given.number, given.what == "each")
        case "put":
            seen = put(given.port, given.rate)
        case "watch":
            seen = watch(given.port, given.number)
        case "drive":
            seen = drive(given.port, given.number, given.rate)
        case _:
            seen = gets(given.port, given.number, int(given.rate))
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
