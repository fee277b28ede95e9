"""Property tests: no deadlines anywhere, for machines are shared; in CI the same examples every time.

A beamline that runs in the terminal beside us is none of the tests' business: its addresses are forgotten.
"""

import os

from hypothesis import settings

for name in ("EPICS_CA_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST", "SOFTBEAM_BEAMLINE"):
    os.environ.pop(name, None)
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
