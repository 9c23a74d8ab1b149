import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import FormatRefused
from strandline.formats import values


@pytest.mark.parametrize("value", ["true", "True", "TRUE", True, 1, "1", "yes", " true "])
def test_yes_is_written_in_many_ways(value):
    assert values.boolean(value) is True


@pytest.mark.parametrize("value", ["maybe", "", None, 2, [], "truefalse"])
def test_what_is_neither_yes_nor_no_is_neither(value):
    assert values.boolean(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-07T02:31:49.830Z",
        "2026-01-07T03:31:49.830+01:00",
        "/Date(1767753109830)/",
        "/Date(1767753109830+0100)/",
        "2026-01-07T02:31:49.830",
    ],
)
def test_times_are_understood_in_every_spelling(value):
    assert values.moment(value) == datetime(2026, 1, 7, 2, 31, 49, 830_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["soon", "", 10**18, "/Date(999999999999999)/", True, [], "9" * 9]
)
def test_what_is_no_time_is_none(value):
    assert values.moment(value) is None or isinstance(values.moment(value), datetime)
    assert values.moment("soon") is None


def test_photodna_is_read_in_its_three_spellings():
    raw = bytes(range(144))
    spellings = [raw.hex(), base64.b64encode(raw).decode(), ",".join(map(str, raw))]
    assert {values.photodna(spelling) for spelling in spellings} == {raw.hex()}


def test_photodna_of_another_length_is_none():
    assert values.photodna("ab" * 143) is None
    assert values.photodna(",".join(["256"] * 144)) is None
    assert values.photodna("A" * 10_000_000) is None


@given(st.binary(min_size=20, max_size=20))
def test_base32_sha1_is_read_in_either_case(raw):
    text = base64.b32encode(raw).decode()
    assert values.base32_sha1(text, "") == raw.hex()
    assert values.base32_sha1(text.lower(), "") == raw.hex()


@given(st.binary(min_size=32, max_size=32))
def test_base64_pdq_is_read_and_hex_too(raw):
    assert values.base64_pdq(base64.b64encode(raw).decode(), "") == raw.hex()
    assert values.base64_pdq(raw.hex().upper(), "") == raw.hex()


def test_a_refusal_repeats_no_hash():
    almost = "ab" * 15
    with pytest.raises(FormatRefused) as refused:
        values.digest("md5", almost, "line 7")
    assert almost not in refused.value.message
    assert refused.value.place == "line 7"


def test_a_time_is_written_as_utc_whatever_zone_it_is_in():
    from datetime import timedelta, timezone

    at = datetime(2026, 1, 7, 3, 0, tzinfo=timezone(timedelta(hours=1)))
    assert values.utc_text(at) == "2026-01-07T02:00:00.000Z"
    with pytest.raises(ValueError, match="without a zone"):
        values.utc_text(datetime(2026, 1, 7, 3, 0))  # noqa: DTZ001 - the point


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats()))
def test_text_is_one_short_printable_line(value):
    said = values.text(value)
    assert len(said) <= values.LONGEST_TEXT
    assert said == " ".join(said.splitlines())
    said.encode()
