"""Where the frames of a detector come from: the seam between an emitter and what it looks at."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, Detector
from layouts.stream import codecs
from layouts.stream.messages import Codec, Payload
from sim.scenes.exposure import Exposure


class FrameSource(Protocol):
    """What an emitter asks for each frame."""

    @property
    def pixel_mask(self) -> NDArray[np.uint32]:
        """Dectris mask bits, (slow, fast)."""
        ...

    @property
    def flatfield(self) -> NDArray[np.float32]:
        """What frames are corrected by, (slow, fast)."""
        ...

    def prepare(self, exposure: Exposure) -> None:
        """Do beforehand what the first frame like this would take the time for."""
        ...

    def prepare_more(self) -> bool:
        """Use a spare millisecond for the frames to come; says whether there was anything left to do."""
        ...

    def payload(self, exposure: Exposure, codec: Codec, version: int) -> Payload:
        """A frame's pixels, packed for a version of the stream."""
        ...

    def truth(self, exposure: Exposure) -> dict[str, Any]:
        """What the scene is made of, and where it is seen from at an exposure; plain JSON."""
        ...


class SceneSource:
    """The simulated scene, rendered and packed frame by frame."""

    def __init__(self, beamline: Beamline, detector: Detector) -> None:
        from sim.scenes.scene import Scene

        self._scene = Scene(beamline, detector)
        codecs.backend()  # finds its library and tests itself now, not at the first frame

    @property
    def pixel_mask(self) -> NDArray[np.uint32]:
        """Dectris mask bits, (slow, fast)."""
        return self._scene.pixel_mask

    @property
    def flatfield(self) -> NDArray[np.float32]:
        """What frames are corrected by, (slow, fast)."""
        return self._scene.flatfield

    def prepare(self, exposure: Exposure) -> None:
        """Do beforehand what the first frame like this would take the time for."""
        self._scene.prepare(exposure)

    def prepare_more(self) -> bool:
        """Use a spare millisecond for the frames to come; says whether there was anything left to do."""
        return self._scene.prepare_more()

    def payload(self, exposure: Exposure, codec: Codec, version: int) -> Payload:
        """A frame's pixels, packed for a version of the stream."""
        frame = self._scene.render(exposure)
        if exposure.region is not None:
            frame = np.ascontiguousarray(frame[exposure.region])
        return codecs.pack(frame, codec, version=version)

    def truth(self, exposure: Exposure) -> dict[str, Any]:
        """What the scene is made of, and where it is seen from at an exposure."""
        return self._scene.truth(exposure)
