"""Raw files of a storer that was killed: closed in its place, with the frames that it had flushed.

The place where another way to save such files would come in.
"""

from __future__ import annotations

import logging
from pathlib import Path

from writer.give_name import give_name
from writer.raw_file import Span, mended

_log = logging.getLogger(__name__)


def close(path: Path, final: Path, span: Span, rows: int) -> bool:
    """Let a file that its writer has left open be one that opens plainly, with exactly so many rows.

    Args:
        path: Of the file.
        final: The name that it is to have.
        span: Numbers of its frames.
        rows: That it is to have.

    Returns:
        Whether that was done: else only readers with ``swmr=True`` find in it what was flushed.
    """
    file = mended(path, span)
    if file is None:
        return False
    try:
        file.trim(rows)
        file.close()
        if path != final:
            give_name(path, final)
    except OSError as error:
        _log.warning("%s: %s", path, error.strerror)
        return False
    return True
