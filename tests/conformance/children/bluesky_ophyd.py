"""What ``bluesky_pause`` needs of the ophyd devices: two frames a point, positions stored with them."""

import time
from pathlib import Path
from typing import Any

import beamline_devices as devices
from ophyd import Signal

FRAMES = 2
ATTRIBUTES = """<Attributes>
<Attribute name="omega" type="EPICS_PV" source="SB:MOT:OMEGA.RBV" dbrtype="DBR_NATIVE"
    description="readback of omega"/>
</Attributes>"""


class Side:
    """Devices, and what documents of theirs say."""

    column = "omega"
    frames = FRAMES
    omega = devices.omega
    detector = devices.eig1
    beam_lost = Signal(name="beam_lost", value=0)

    def __init__(self, engine: Any, exposure: float) -> None:
        self.detector.wait_for_connection(all_signals=True, timeout=60)
        self.omega.wait_for_connection(timeout=20)
        cam = self.detector.cam
        file = Path.cwd() / "attributes.xml"
        file.write_text(ATTRIBUTES)
        cam.nd_attributes_file.set(str(file)).wait(timeout=5)
        for signal in (cam.acquire_time, cam.acquire_period):
            signal.set(exposure).wait(timeout=5)
        cam.num_images.set(FRAMES).wait(timeout=5)

    def is_exposing(self) -> bool:
        return bool(self.detector.cam.acquire.get(use_monitor=False))

    def captured(self) -> int:
        return self.detector.hdf.num_captured.get(use_monitor=False)

    def abort_exposure(self) -> None:
        self.detector.cam.acquire.put(0, wait=True)

    def is_idle(self) -> bool:
        """Whether detector and writer come to rest."""
        deadline = time.monotonic() + 10
        while any(
            signal.get(use_monitor=False) for signal in (self.detector.cam.acquire, self.detector.hdf.capture)
        ):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def make_stock(self) -> None:
        """Leave the detector without what is ours."""
        del devices.Eiger.resume

    def files(self, documents: Any) -> list[str]:
        return [str(Path(r["root"], r["resource_path"])) for r in documents.of("resource")]

    def rows(self, documents: Any) -> list[tuple[int, int]]:
        """First row, and the one behind the last, of each event."""
        points = {d["datum_id"]: d["datum_kwargs"]["point_number"] for d in documents.of("datum")}
        events = [points[event["data"]["eig1_image"]] for event in documents.of("event")]
        return [(point * FRAMES, (point + 1) * FRAMES) for point in events]
