"""Every format that is read, by name."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from strandline.errors import FormatRefused
from strandline.formats import arachnid, ncmec, stopncii, tables, vics
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable

Reader = Callable[..., Iterator[HashRow | Unreadable]]

#: By the name that commands and pages use, with what people call it.
READERS: Mapping[str, tuple[str, Reader]] = {
    "vics": ("VICS (Project VIC, CAID) 1.x and 2.0, JSON", vics.read),
    "ncmec": ("NCMEC hash sharing, version 2, XML", ncmec.read),
    "csv": ("Plain list of hashes, CSV", tables.read),
    "icse": ("Interpol ICSE, CSV", partial(tables.read, profile=tables.ICSE)),
    "arachnid": ("Arachnid Shield, JSON", arachnid.read),
    "stopncii": ("StopNCII, JSON", stopncii.read),
}


def read(
    name: str,
    stream: Readable,
    losses: Losses,
    *,
    limits: Limits = LIMITS,
    **options: Any,  # noqa: ANN401 - each reader says its own
) -> Iterator[HashRow | Unreadable]:
    """Rows of a file in the format ``name``, in the file's order.

    ``options`` are those of the reader: ``tables`` and ``country`` of ``vics``. A row that says
    nothing usable is an :class:`Unreadable`. Raises KeyError for an unknown name, and FormatRefused
    when the file cannot be read: nothing that was given before may be kept then.
    """
    return READERS[name][1](stream, losses, limits=limits, **options)


def read_strictly(
    name: str,
    stream: Readable,
    losses: Losses,
    **options: Any,  # noqa: ANN401 - each reader says its own
) -> Iterator[HashRow]:
    """As :func:`read`, but the first row that is unreadable refuses the file."""
    for row in read(name, stream, losses, **options):
        if isinstance(row, Unreadable):
            raise FormatRefused(row.place, row.reason)
        yield row
