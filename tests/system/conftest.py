"""What many tests of a worker begin with: a detector's socket, and a worker that is connected to it."""

from collections.abc import Iterator

import pytest

from tests.kit.push import Push
from tests.kit.worker import Worker


@pytest.fixture
def push() -> Iterator[Push]:
    """A PUSH socket that speaks version 2."""
    source = Push(2)
    yield source
    source.close()


@pytest.fixture
def worker(push: Push) -> Iterator[Worker]:
    """A worker on it."""
    running = Worker(push.endpoint)
    yield running
    running.close()
