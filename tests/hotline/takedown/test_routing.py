import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.takedown.routing import (
    Origin,
    origin_question,
    read_origin,
    read_system_name,
    system_question,
)


def test_an_address_is_asked_for_backwards():
    assert origin_question("192.0.2.7") == "7.2.0.192.origin.asn.cymru.com"
    assert origin_question("2001:db8::1") == (
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.origin6.asn.cymru.com"
    )
    assert system_question(64496) == "AS64496.asn.cymru.com"


def test_the_most_specific_announcement_is_the_origin():
    texts = (
        '"64500 | 192.0.0.0/16 | US | arin | 2010-01-01"',
        '"64496 64497 | 192.0.2.0/24 | NL | ripencc | 2010-01-01"',
    )
    assert read_origin(texts) == Origin(64496, "192.0.2.0/24", "NL")


@pytest.mark.parametrize(
    "text", ["", "|||", "x | 192.0.2.0/24 | NL", "64496 | here | NL", "0 | 192.0.2.0/24 | NL"]
)
def test_what_is_no_origin_gives_none(text):
    assert read_origin((text,)) is None


def test_a_strange_country_is_left_out():
    origin = read_origin(("64496 | 192.0.2.0/24 |  | ripencc",))
    assert origin == Origin(64496, "192.0.2.0/24", "")


def test_a_system_has_its_name():
    assert read_system_name(("64496 | NL | ripencc | 2010-01-01 | ALDER-NET, NL",)) == (
        "ALDER-NET, NL"
    )
    assert read_system_name(("64496 | NL",)) == ""


@given(st.lists(st.text()).map(tuple))
def test_no_text_makes_it_fail(texts):
    read_origin(texts)
    assert read_system_name(texts).isprintable()
