"""Arrays gathered piece by piece are the same in memory and in a file, and no file is left."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.lists.state import gathering
from strandline.lists.state.gathering import Gathered
from strandline.lists.state.table import FRAME


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), max_size=12),
    st.sampled_from([("<u8", None), ("u1", 32), ("<u2", None), (FRAME, None)]),
    st.sampled_from([0, 100, 1 << 20]),
)
def test_pieces_are_one_array_wherever_they_lay(tmp_path_factory, sizes, kind, in_memory):
    dtype, width = np.dtype(kind[0]), kind[1]
    random = np.random.default_rng(len(sizes))
    pieces = [
        np.frombuffer(random.bytes(size * dtype.itemsize * (width or 1)), dtype).reshape(
            (size,) if width is None else (size, width)
        )
        for size in sizes
    ]
    scratch = tmp_path_factory.mktemp("scratch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "_IN_MEMORY", in_memory)
        gathered = Gathered(dtype, scratch, width)
        for piece in pieces:
            gathered.add(piece)
        whole = gathered.whole()
    assert whole.dtype == dtype
    assert whole.shape == ((sum(sizes),) if width is None else (sum(sizes), width))
    assert whole.tobytes() == b"".join(piece.tobytes() for piece in pieces)
    assert list(scratch.iterdir()) == []


def test_a_disk_without_room_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "_IN_MEMORY", 0)
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr(gathering.tempfile, "TemporaryFile", lambda **_: full)
        gathered = Gathered("u1", tmp_path)
        with pytest.raises(OSError, match="No space left"):
            gathered.add(np.ones(10, "u1"))
