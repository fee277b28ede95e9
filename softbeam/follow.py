"""``softbeam follow``: a line for each frame as soon as it can be read, until the capture is over."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from layouts.raw.follower import Follower, FollowState
from layouts.raw.names import meta_file


def meta_of(file: Path) -> Path:
    """The meta file of a capture, from that or from the name of one of its other files."""
    if file.name.endswith("_meta.h5"):
        return file
    stems = [file.stem, re.sub(r"_\d{6}$", "", file.stem)]
    found = [file.with_name(meta_file(stem)) for stem in stems]
    return next((path for path in found if path.exists()), found[0])


def follow(
    file: Path, *, timeout: float | None, say: Callable[[str], None], tell: Callable[[str], None]
) -> int:
    """Print the frames of a capture as they come.

    Args:
        file: Its meta file, or another file of it; need not be there yet.
        timeout: Seconds without a new frame after which to give up; None waits for ever.
        say: Prints what comes.
        tell: Prints what goes wrong.

    Returns:
        Exit code: 0 the capture has ended, 1 it was discarded, or nothing came for too long, 2 no capture
        can have such a file.
    """
    try:
        follower = Follower(meta_of(file))
    except ValueError as error:
        tell(f"softbeam follow: {error}")
        return 2
    with follower:
        say("# place series frame lag/ms")
        try:
            for new in follower.follow(timeout=timeout):
                now = time.time_ns()
                columns = (new.places, new.series, new.frames, (now - new.arrivals) / 1e6)
                for place, series, frame, lag in zip(*(c.tolist() for c in columns), strict=True):
                    say(f"{place} {series} {frame} {lag:.1f}")
        except OSError as error:
            tell(f"softbeam follow: {error}; after a crash softbeam salvage brings back what was stored")
            return 1
        missing = follower.missing
        if follower.state is FollowState.GONE:
            tell(f"softbeam follow: {follower.meta_path} was removed: its capture ended without a frame")
            return 1
        few = ", ".join(map(str, missing[:10].tolist())) + (", ..." if missing.size > 10 else "")
        lost = f", {missing.size} missing: {few}" if missing.size else ""
        say(f"# ended: {follower.seen.size} of {follower.rows} frames{lost}")
        return 0
