"""Does a film's file end where it says, and hold one film? ffmpeg reads on in silence."""

import os
from collections.abc import Iterator
from typing import BinaryIO

#: Boxes looked at before a file is taken for whole.
_MOST_BOXES = 10_000


def is_whole(file: BinaryIO, container: str) -> bool:
    """Tell whether nothing of the file lies beyond its end or behind the film.

    Known of MP4 and QuickTime files (ISO/IEC 14496-12: boxes, one of them a ``moov``), and of AVI
    files (a RIFF chunk and its size). Others are said to be whole.
    """
    size = file.seek(0, os.SEEK_END)
    if container == "avi":
        file.seek(4)
        return 8 + int.from_bytes(file.read(4), "little") <= size + 1  # perhaps unpadded
    if container != "mov":
        return True
    films = 0
    for kind, end in _boxes(file, size):
        films += kind == b"moov"
        if end > size or films > 1:
            return False
    return True


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the kind of each outermost box and where it ends."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > size:
            return
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            return  # to the end of the file
        if length < 8:
            return
        place += length
        yield head[4:8], place
