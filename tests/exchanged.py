"""Invented files as other organisations list them."""

import hashlib
import io

from strandline import formats
from strandline.formats import HashRow, Kind


def digests(name):
    """The digests of an invented file."""
    data = f"exchange {name}".encode()
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "sha1": hashlib.sha1(data).hexdigest(),
        "md5": hashlib.md5(data).hexdigest(),
    }


def row(name, **facts):
    """A row of an invented picture."""
    return HashRow(**{**digests(name), "kind": Kind.IMAGE, "category": "Theirs", **facts})


def listed(*rows):
    """A plain list of these rows, as bytes."""
    stream = io.BytesIO()
    formats.write("csv", rows, stream)
    return stream.getvalue()
