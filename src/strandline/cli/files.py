"""Paths that a person typed, and how text from elsewhere is shown to one."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path that is not a folder as it is, and every file below each that is, sorted.

    Symbolic links to folders are not followed below a folder, so that no walk runs in circles.
    Raises OSError for a folder that cannot be read: leaving it out would look like 'no match'.
    """
    for path in paths:
        if path.is_dir():
            for folder, folders, names in os.walk(path, onerror=_raise):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names))
        else:
            yield path


def printable(text: object) -> str:
    """The text with whatever a terminal would obey rather than show written as an escape."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(text))


def _raise(error: OSError) -> None:
    raise error
