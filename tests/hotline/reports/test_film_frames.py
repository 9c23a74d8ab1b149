from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.reports.film_frames import pack, unpack
from strandline.lists.published.events import Frame

FRAMES = st.lists(
    st.builds(
        Frame,
        st.integers(0, 2**32 - 1),
        st.integers(0, 100),
        st.integers(0, 2**256 - 1).map("{:064x}".format),
    ),
    max_size=5,
)


@given(FRAMES)
def test_frames_come_back_as_they_were_packed(frames):
    packed = pack(frames)
    assert len(packed) == 37 * len(frames)
    assert unpack(packed) == unpack(memoryview(packed)) == tuple(frames)
