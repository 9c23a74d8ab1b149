"""Reading whatever a test wrote, and files of others where they are at hand."""

import io
from pathlib import Path

import pytest

from strandline import formats

STANDARDS = Path(__file__).parents[3] / "shared" / "standards"


@pytest.fixture
def standard():
    """``standard("vics/example.json")``: a file gathered elsewhere; skipped by name if absent."""

    def find(name):
        path = STANDARDS / name
        if not path.exists():
            pytest.skip(f"shared/standards/{name} is not here")
        return path

    return find


@pytest.fixture(scope="session")
def read():
    """``read("vics", data)``: every row, and what was lost."""

    def every(name, data, **options):
        losses = formats.Losses()
        data = data.encode() if isinstance(data, str) else data
        return list(formats.read(name, io.BytesIO(data), losses, **options)), losses

    return every


@pytest.fixture(scope="session")
def write():
    """``write("csv", rows)``: the bytes, and what was lost."""

    def every(name, rows, **options):
        stream = io.BytesIO()
        losses = formats.write(name, rows, stream, **options)
        return stream.getvalue(), losses

    return every
