"""ophyd-async's areaDetector drivers connect, menus compared. Argument: prefix of the beamline."""

import asyncio
import sys

from ophyd_async.core import init_devices
from ophyd_async.epics.adcore import ADBaseIO, NDFileHDF5IO


async def main() -> None:
    async with init_devices():
        cam = ADBaseIO(f"{sys.argv[1]}EIG1:cam1:", name="cam")
        hdf = NDFileHDF5IO(f"{sys.argv[1]}EIG1:HDF1:", name="hdf")
    assert await cam.port_name.get_value() == await hdf.nd_array_port.get_value()
    await hdf.xml_file_name.set("")
    await hdf.num_extra_dims.set(0)


asyncio.run(main())
print("OK")  # noqa: T201
