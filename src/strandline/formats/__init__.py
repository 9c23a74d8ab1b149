"""Other people's formats to and from our own dataclasses. Reads and writes streams; opens nothing.

``read`` gives a :class:`HashRow` for each row of a file, streamed, and ``write`` writes rows.
Reading is lenient, writing strict, and :class:`Losses` says what a mapping could not carry. A file
that cannot be read raises :class:`FormatRefused` with the line or element that is wrong. It opens
no connection and no file.
"""

from strandline.errors import FormatRefused
from strandline.formats.losses import Loss, Losses
from strandline.formats.reading import READERS, read, read_strictly
from strandline.formats.rows import HashRow, Kind, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, Writable
from strandline.formats.writing import WRITERS, write

__all__ = [
    "LIMITS",
    "READERS",
    "WRITERS",
    "FormatRefused",
    "HashRow",
    "Kind",
    "Limits",
    "Loss",
    "Losses",
    "Readable",
    "Unreadable",
    "Writable",
    "read",
    "read_strictly",
    "write",
]
