"""Commands on their way into an emitter: a thread reads lines, the emitter takes them in order.

What cannot wait its turn, an abort or the end of the parent, is seen as soon as it is read, so that an
emitter that waits for a slow receiver is never stuck.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

from sim.commands import Command, Exit
from sim.eiger import Discard, SendStart

_log = logging.getLogger(__name__)


class Inbox:
    """Commands that have been read and not yet obeyed."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self._arrived = threading.Condition()
        self._closed = False
        self._discarded: set[int] = set()

    @property
    def closed(self) -> bool:
        """Whether the emitter is to end."""
        return self._closed

    def discarded(self, series: int) -> bool:
        """Whether the series has been aborted, even if that command has not had its turn."""
        return series in self._discarded

    def put(self, command: Command) -> None:
        """Add a command."""
        with self._arrived:
            if isinstance(command, Exit):
                self._closed = True
            elif isinstance(command, Discard):
                self._discarded.add(command.series)
            elif isinstance(command, SendStart):
                self._discarded.discard(command.series)  # numbers begin anew when a detector is initialized
            self._commands.append(command)
            self._arrived.notify_all()

    def close(self) -> None:
        """End the emitter: no command will come any more."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def take(self) -> Command | None:
        """The next command, if there is one; never waits."""
        try:
            return self._commands.popleft()
        except IndexError:
            return None

    def wait(self, seconds: float) -> None:
        """Wait until there is a command, or the time is over."""
        with self._arrived:
            if not self._commands and not self._closed and seconds > 0:
                self._arrived.wait(seconds)

    def pause(self, seconds: float, series: int) -> None:
        """Do nothing for a while, whatever commands come, but for an abort of the series."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._closed or self.discarded(series), seconds)

    def read(self, lines: Iterable[bytes], parse: Callable[[bytes], Command]) -> None:
        """Read commands until the parent has gone, then close; runs in a thread of its own."""
        try:
            for line in lines:
                try:
                    self.put(parse(line))
                except (ValueError, TypeError, KeyError) as error:
                    _log.error("a command was not understood and left out: %s", error)
        except OSError as error:
            _log.error("the pipe of commands broke: %s", error)
        finally:
            self.close()
