"""A finished file gets its name, unless something has it already: nothing is ever written over."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def give_name(temporary: Path, path: Path) -> None:
    """Name a file: a link fails where the name is taken, a rename would not.

    Raises:
        FileExistsError: Something has the name.
        OSError: The system refuses.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, "is there already", str(path)) from None
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # File systems without hard links: claim the name first, then put the file there.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        temporary.replace(path)
    else:
        temporary.unlink(missing_ok=True)
