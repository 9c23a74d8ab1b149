"""Opening what a path names, when that is a file."""

import errno
import os
import stat
from io import FileIO
from pathlib import Path


def open_file(path: Path) -> FileIO:
    """Open a file to read its bytes, unbuffered.

    Raises:
        OSError: it cannot be opened, or it is no file. A pipe would be waited for without end, and
            reading a device can have effects; neither is read.
    """
    # Without waiting for the other end of a pipe, which is opened only to see what it is.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is not a file", str(path))
    return FileIO(descriptor, "rb")
