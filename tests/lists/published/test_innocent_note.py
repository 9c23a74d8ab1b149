"""A note of innocent pictures has one text for one set of pictures."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import ListRefused
from strandline.lists.published.innocent_note import (
    KINDS,
    MAX_BYTES,
    MAX_PICTURES,
    InnocentNote,
    InnocentPicture,
)

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
BLANK = InnocentPicture("blank", None, "0" * 64)
LOGO = InnocentPicture("logo", "5a" * 32, None)
TEXT = (
    "hotline.example/innocent\nformat 2\nnumber 3\nissued 2026-03-02T09:00:00Z\npictures 2\n"
    f"blank - {'0' * 64}\nlogo {'5a' * 32} -\n"
)


def test_its_text_is_as_documented_in_whatever_order_pictures_come():
    for pictures in ([LOGO, BLANK], [BLANK, LOGO, BLANK]):
        note = InnocentNote.of("hotline.example", 3, AT, pictures)
        assert note.text() == TEXT
        assert InnocentNote.parse(TEXT) == note


def test_no_pictures_are_a_note_as_well():
    note = InnocentNote.of("hotline.example", 1, AT, [])
    assert InnocentNote.parse(note.text()).pictures == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format 2", "format 3"),
        ("format 2\n", ""),
        ("number 3", "number 03"),
        ("number 3", "number 0"),
        ("number 3", "number 1000000001"),
        ("number 3", "number three"),
        ("pictures 2", "pictures 3"),
        ("09:00:00Z", "09:00:00+00:00"),
        ("blank -", "blank  -"),
        ("blank", "picture"),
        ("5a5a", "5A5a"),
        ("5a5a", "5a"),
        (f"logo {'5a' * 32} -", "logo - -"),
        (f"logo {'5a' * 32} -\n", f"logo {'5a' * 32} -\n\n"),
        (f"logo {'5a' * 32} -\n", f"logo {'5a' * 32} -"),
        (f"logo {'5a' * 32} -\n", f"logo {'5a' * 32} -\r\n"),
        (f"blank - {'0' * 64}\nlogo {'5a' * 32} -", f"logo {'5a' * 32} -\nblank - {'0' * 64}"),
        (f"blank - {'0' * 64}\nlogo {'5a' * 32} -", f"blank - {'0' * 64}\nlogo - {'0' * 64}"),
        ("hotline.example/innocent", "hotline.example/scope"),
    ],
)
def test_another_form_is_refused(old, new):
    assert old in TEXT
    with pytest.raises(ListRefused):
        InnocentNote.parse(TEXT.replace(old, new, 1))


def test_a_note_has_so_many_pictures_at_most_and_these_fit_the_limit_of_bytes():
    def many(number):
        return [InnocentPicture("interface", f"{n:064x}", f"{n:064x}") for n in range(number)]

    assert len(InnocentNote.of("hotline.example", 1, AT, many(MAX_PICTURES)).text()) < MAX_BYTES
    with pytest.raises(ListRefused, match="at most 10,000"):
        InnocentNote.of("hotline.example", 1, AT, many(MAX_PICTURES + 1))


digests = st.none() | st.integers(0, 2**256 - 1).map("{:064x}".format)
pictures = st.tuples(st.sampled_from(sorted(KINDS)), digests, digests).filter(
    lambda each: each[1] or each[2]
)


@given(st.lists(pictures, max_size=8), st.randoms())
def test_one_set_of_pictures_has_one_text(told, random):
    made = [InnocentPicture(*each) for each in told]
    note = InnocentNote.of("hotline.example", 1, AT, made)
    random.shuffle(made)
    assert InnocentNote.of("hotline.example", 1, AT, made) == note
    assert InnocentNote.parse(note.text()) == note
