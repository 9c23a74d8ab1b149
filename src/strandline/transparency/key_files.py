"""Files that hold private keys: read only if nobody else may, written whole and never over another.

Whoever reads says with which error a file is refused.
"""

import os
import stat
import tempfile
from pathlib import Path

from strandline.errors import StrandlineError


def read_private(path: Path, longest: int, refused: type[StrandlineError]) -> bytes:
    """The content of a private key file; raises ``refused`` with a sentence."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise refused(
                    f"{path} can be opened by others than its owner, so its key was not used. "
                    f"If nobody copied it, run: chmod 600 {path}"
                )
            data = file.read(longest + 1)
    except OSError as error:
        raise refused(f"The key file {path} cannot be read: {error.strerror}.") from error
    if len(data) > longest:
        raise refused(f"{path} is too long to be a key. Nothing was signed.")
    return data


def write_new(path: Path, data: bytes) -> None:
    """A whole new file of mode 0600, or FileExistsError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, refuses an existing name
    finally:
        Path(temporary).unlink()
