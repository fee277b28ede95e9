"""What a start message says of its series, however odd it is."""

from __future__ import annotations

import logging

from layouts.stream.messages import SeriesParameters, Start
from layouts.stream.parameters import parameters

_log = logging.getLogger(__name__)


def understood(start: Start, detector: str) -> SeriesParameters:
    """Its parameters; none of them if they cannot be understood, which is logged for the detector."""
    try:
        return parameters(start)
    except Exception:  # a start message that says odd things is still the start of a series
        _log.exception("%s: parameters of series %d not understood", detector, start.series)
        return SeriesParameters()
