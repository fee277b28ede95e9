"""The simulated beamline: motors, detectors, triggers, what the detector sees, what goes wrong."""
