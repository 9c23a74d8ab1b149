import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.takedown.mailbox import LONGEST, read_mailbox


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("abuse@host.example", "abuse@host.example"),
        (" Abuse.Team+x@Host.EXAMPLE. ", "Abuse.Team+x@host.example"),
        ("mailto:abuse@host.example", "abuse@host.example"),
        ("MAILTO:a_b@xn--hst-0na.example", "a_b@xn--hst-0na.example"),
    ],
)
def test_a_mailbox_is_read(text, mailbox):
    assert read_mailbox(text) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abuse",
        "@host.example",
        "abuse@",
        "abuse@localhost",
        "abuse@[127.0.0.1]",
        "abuse@127.0.0.1",
        "abuse@host.example, other@host.example",
        "a@b@host.example",
        "Desk <abuse@host.example>",
        "abuse@host.example\nBcc: everyone@host.example",
        "abuse@host.example\r\n",
        "abuse\0@host.example",
        '"a b"@host.example',
        ".abuse@host.example",
        "abuse..desk@host.example",
        "-froot@host.example",
        "abuse@-host.example",
        "abuse@host..example",
        "abüse@host.example",
        "abuse@höst.example",
        "a" * 65 + "@host.example",
        "a@" + "h" * 64 + ".example",
        "a@" + "host." * 60 + "example",
        ["abuse@host.example"],
        None,
        7,
    ],
)
def test_anything_else_is_not_a_mailbox(text):
    assert read_mailbox(text) is None


@given(st.text() | st.from_regex(r"[^@]{1,20}@[^@]{1,20}\.[a-z]{2,5}"))
def test_what_is_read_is_one_line_one_address_and_read_the_same_again(text):
    mailbox = read_mailbox(text)
    if mailbox is None:
        return
    assert mailbox.isascii()
    assert mailbox.isprintable()
    assert mailbox.count("@") == 1
    assert not set(mailbox) & set(' ,;:<>"()[]\\')
    assert len(mailbox) <= LONGEST
    assert read_mailbox(mailbox) == mailbox
