import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.media import frames

facts = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name != "blobs"), st.integers() | st.text()
)
blobs = st.dictionaries(st.text(max_size=8), st.binary(max_size=200), max_size=4)


def _exactly(data: bytes):
    stream = io.BytesIO(data)
    return stream.read


@given(facts, blobs)
def test_what_is_written_is_read(header, parts):
    whole = b"".join(frames.encode(header, parts))
    assert frames.read(_exactly(whole), max_blobs=1000) == (header, parts)


def _frame(text: bytes) -> bytes:
    return len(text).to_bytes(8, "big") + text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"blobs": 3}',
        b'{"blobs": [["a", -1]]}',
        b'{"blobs": [["a", 11]]}',
        b'{"blobs": [["a"]]}',
        b"[" * 100_000,
    ],
)
def test_a_header_that_is_not_ours_is_refused(text):
    with pytest.raises(frames.BadFrameError):
        frames.read(_exactly(_frame(text)), max_blobs=10)


def test_a_header_is_not_read_when_it_claims_to_be_huge():
    asked = []

    def take(count: int) -> bytes:
        asked.append(count)
        return (2**40).to_bytes(8, "big")

    with pytest.raises(frames.BadFrameError, match="1099511627776"):
        frames.read(take, max_blobs=10)
    assert asked == [8]


def test_a_header_is_plain_json():
    (head,) = frames.encode({"a": "ü"}, {})
    assert json.loads(head[8:]) == {"a": "ü", "blobs": []}
