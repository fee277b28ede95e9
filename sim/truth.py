"""The truth of a series as a PV's text: JSON that is never longer than what is served."""

from __future__ import annotations

import json
from typing import Any

LONGEST = 60_000
"""Characters that are served; a longer truth goes without the positions of single frames."""


def as_text(values: dict[str, Any]) -> str:
    """The text of a truth.

    Args:
        values: As the emitter reports them; those of single frames are taken out where it is too long.
    """
    text = json.dumps(values)
    if len(text) > LONGEST:
        for motor in values.get("motors", {}).values():
            motor.pop("start", None)
            motor.pop("stop", None)
        text = json.dumps(values)
    return text
