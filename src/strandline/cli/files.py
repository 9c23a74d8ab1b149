"""Paths that a person typed, and how text from elsewhere is shown to one."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_under(paths: Iterable[Path], unread: dict[Path, OSError] | None = None) -> Iterator[Path]:
    """Each path that is not a folder as it is, and every file below each that is, sorted.

    Symbolic links to folders are not followed below a folder, so that no walk runs in circles. A
    folder that cannot be read is given as if it were a file, with the reason put into ``unread``;
    without one it is raised, as OSError: leaving it out would look like 'no match'.
    """
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - says no to a name that no file can have
            yield path
            continue
        failed: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=failed.append):
            yield from _unread(failed, unread)
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))
        yield from _unread(failed, unread)


def _unread(failed: list[OSError], unread: dict[Path, OSError] | None) -> Iterator[Path]:
    while failed:
        error = failed.pop()
        if unread is None:
            raise error
        folder = Path(error.filename)
        unread[folder] = error
        yield folder


def printable(text: object) -> str:
    """The text with whatever a terminal would obey rather than show written as an escape.

    A line end is one too: a name that holds one could pass for a line of ours.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
