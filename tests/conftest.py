"""Property tests: no deadlines anywhere, for machines are shared; in CI the same examples every time.

A beamline that runs in the terminal beside us is none of the tests' business: its addresses are forgotten.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.kit.storage_faults import StorageFaults, compiled

for name in ("EPICS_CA_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST", "SOFTBEAM_BEAMLINE"):
    os.environ.pop(name, None)
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def _storage_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def faults(_storage_library: Path, tmp_path: Path) -> StorageFaults:
    """Storage that fails as told, for a program with its ``environment``."""
    return StorageFaults(_storage_library, tmp_path)
