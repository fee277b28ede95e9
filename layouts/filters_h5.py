"""HDF5's filters for packed frames, registered in this process by importing this.

Where HDF5_PLUGIN_PATH names a folder of filters, as ``softbeam env`` and many a beamline has it, HDF5
has loaded the filters by itself before, and hdf5plugin leaves them alone. Such ones can read, but not write:
they were never told which HDF5 library is ours. So they are registered again.
"""

from __future__ import annotations

import logging
import os
from typing import Final

# It tells of every filter that it leaves alone.
logging.getLogger("hdf5plugin").setLevel(logging.WARNING)

import hdf5plugin  # noqa: E402

NAMES: Final = ("bshuf", "lz4")
"""Those that frames and masks are packed with."""

if os.environ.get("HDF5_PLUGIN_PATH"):
    hdf5plugin.register(NAMES, force=True)
FOLDER: Final = hdf5plugin.PLUGIN_PATH
"""Where the filters are, for other programs' HDF5_PLUGIN_PATH."""
