"""Screens for Phoebus, made from the record tables: each PV of a beamline is on one of them."""
