"""Every format that is written, by name."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from strandline.formats import ncmec_writing, tables, vics_writing
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow
from strandline.formats.streams import Writable
from strandline.formats.vics_writing import Version

Writer = Callable[..., None]

#: By the name that commands use, with what people call it.
WRITERS: Mapping[str, tuple[str, Writer]] = {
    "vics-2.0": ("VICS 2.0 hash set, JSON", vics_writing.write),
    "vics-1.3": ("VICS 1.3 hash set, JSON", partial(vics_writing.write, version=Version.V1_3)),
    "ncmec": ("NCMEC hash sharing, version 2, XML", ncmec_writing.write),
    "csv": ("Plain list of hashes, CSV", tables.write),
}


def write(
    name: str,
    rows: Iterable[HashRow],
    stream: Writable,
    **options: Any,  # noqa: ANN401 - each writer says its own
) -> Losses:
    """Write ``rows`` to the binary ``stream``; what the format could not carry.

    ``options`` are those of the writer: ``table`` of VICS (a ``CategoryTable``), ``member`` and
    ``written`` of ``ncmec``. Raises KeyError for an unknown name.
    """
    losses = Losses()
    WRITERS[name][1](rows, stream, losses, **options)
    return losses
