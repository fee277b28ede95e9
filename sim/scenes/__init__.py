"""What a detector sees: a crystal in a beam."""

from sim.scenes.exposure import Exposure, sweep
from sim.scenes.reflections import Reflections
from sim.scenes.scene import Scene

__all__ = ["Exposure", "Reflections", "Scene", "sweep"]
