"""What may not be read is told as that: which file or folder, and whose it is."""

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from strandline.errors import ListRefused


def denied(path: Path) -> ListRefused:
    """The refusal of a file that this user may not read; it names the folder that is closed."""
    path = path.absolute()
    closed, owner = path, "nobody who is known"
    for place in (path, *path.parents):
        # What is below a closed folder cannot even be asked whose it is.
        with contextlib.suppress(OSError):
            closed, owner = place, _name(place.stat().st_uid)
            break
    return ListRefused(
        f"{closed} cannot be read: permission denied. It belongs to {owner}, and this runs as "
        f"{_name(os.geteuid())}. Nothing was changed; do this as {owner}, who may also let you "
        "read it."
    )


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell of whatever may not be read meanwhile, with a sentence."""
    try:
        yield
    except PermissionError as error:
        raise denied(Path(os.fsdecode(error.filename or "."))) from error


def is_denied(error: ListRefused) -> bool:
    """Whether a refusal is of something that may not be read, not of what it is like."""
    return isinstance(error.__cause__, PermissionError)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
