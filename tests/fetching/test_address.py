import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strandline.fetching import MAX_LENGTH, AddressRefused, normalise


def refusal(text: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as caught:
        normalise(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("https://example.com:443", "https://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/../../x", "http://example.com/x"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http://example.com/a/b/.", "http://example.com/a/b/"),
        ("http://example.com/%7euser/%2e%2E/%c3%a9", "http://example.com/%C3%A9"),
        ("http://example.com/%41%2f%5a", "http://example.com/A%2FZ"),
        ("http://example.com/é ü", "http://example.com/%C3%A9%20%C3%BC"),
        ("http://example.com/100%", "http://example.com/100%25"),
        ("http://example.com/a#part", "http://example.com/a"),
        ("http://example.com/a?b=c?d#e?f", "http://example.com/a?b=c?d"),
        ("http://example.com#a?b", "http://example.com/"),
        ("http://example.com?q=1", "http://example.com/?q=1"),
        ("http://example.com/?q=\\a", "http://example.com/?q=%5Ca"),
        ("example.com/x", "http://example.com/x"),
        ("example.com:8080/x", "http://example.com:8080/x"),
        ("//example.com/x", "http://example.com/x"),
        ("http:\\\\example.com\\x", "http://example.com/x"),
        ("https:example.com", "https://example.com/"),
        ("  http://example.com/ \n", "http://example.com/"),
        ("http://example.com./", "http://example.com/"),
        ("http://ex%61mple.com/", "http://example.com/"),
        ("http://ｅｘａｍｐｌｅ。com/", "http://example.com/"),
        ("http://my_site.example.com/", "http://my_site.example.com/"),
        ("http://example.com/@name", "http://example.com/@name"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://0x08080808/", "http://8.8.8.8/"),
        ("http://[2606:4700:4700:0::1111]:8080/", "http://[2606:4700:4700::1111]:8080/"),
        ("http://[::ffff:8.8.8.8]/", "http://8.8.8.8/"),
        ("http://münchen.de/", "http://xn--mnchen-3ya.de/"),
        ("http://MÜNCHEN.de/", "http://xn--mnchen-3ya.de/"),
        ("http://faß.de/", "http://xn--fa-hia.de/"),
        ("http://пример.рф/", "http://xn--e1afmkfd.xn--p1ai/"),
        ("http://сахар.рф/", "http://xn--80aa2cbv.xn--p1ai/"),
        ("http://東京タワー.jp/", "http://xn--5ck2eqb538s34z.jp/"),
        ("http://ıstanbul.com.tr/", "http://xn--stanbul-qfb.com.tr/"),
    ],
)
def test_an_address_is_brought_into_normal_form(text: str, url: str) -> None:
    assert normalise(text).url == url


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("   ", "malformed"),
        ("http://exa mple.com/", "malformed"),
        ("http://example.com/\nhttp://example.org/", "malformed"),
        ("http://example.com:99999/", "malformed"),
        ("http://example.com:0/", "malformed"),
        ("http://example.com:８0/", "malformed"),
        ("http://a..example.com/", "malformed"),
        ("http://" + "a" * 64 + ".com/", "malformed"),
        ("http://" + "a." * 127 + "com/", "malformed"),
        ("http://[::1", "malformed"),
        ("http://[fe80::1%25eth0]/", "malformed"),
        ("http://256.256.256.256/", "malformed"),
        ("http://1.2.3.4.5/", "malformed"),
        ("http://a.b.0x/", "malformed"),
        ("http://\ud800.com/", "malformed"),
        ("http://example.com/\ud800", "malformed"),
        ("http://%ff.com/", "malformed"),
        ("http://example%2ecom%2f@evil.com", "credentials"),
        ("http://℀.com/", "malformed"),
        ("http://☃.net/", "malformed"),
        ("http://example.com/" + "a" * MAX_LENGTH, "too-long"),
        ("http://example.com/" + "é" * 600, "too-long"),
        ("javascript:alert(1)", "scheme"),
        ("JavaScript://example.com/%0aalert(1)", "scheme"),
        ("data:text/html,hello", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("mailto:someone@example.com", "scheme"),
        ("view-source:https://example.com/", "scheme"),
        ("http://user:secret@example.com/", "credentials"),
        ("http://example.com@example.org/", "credentials"),
        ("someone:secret@example.com/x", "credentials"),
        ("http:///", "no-host"),
        ("http://?q", "no-host"),
        ("http://intern/", "no-host"),
        ("http://localhost/", "private"),
        ("localhost:8000", "private"),
        ("http://a.LOCALHOST./", "private"),
        ("http://printer.local/", "private"),
        ("http://metadata.google.internal/", "private"),
    ],
)
def test_what_is_not_a_public_web_address_is_refused_with_a_sentence(text: str, code: str) -> None:
    refused = refusal(text)
    assert refused.code == code
    assert re.fullmatch(r"[A-Z“].*[.]", refused.message, re.DOTALL)
    assert "secret" not in refused.message


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1"),
        *(
            "017700000001",
            "127.0.0.1.",
            "①②⑦.0.0.1",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "0",
            "0.0.0.0",
        ),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1"),
        *("192.0.0.9", "192.0.2.1", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *(
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
        ),
        *("[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::808:808]", "[2002:7f00:1::]"),
        *("[2002:808:808::1]", "[2001:0:808:808::1]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]"),
        *("[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]"),
        *("[2606:4700::5efe:7f00:1]", "[4000::1]"),
    ],
)
def test_private_and_reserved_addresses_are_refused_in_every_disguise(host: str) -> None:
    assert refusal(f"http://{host}/").code == "private"
    assert refusal(f"https://{host}:8443/x").code == "private"


def test_an_allowed_network_is_accepted_and_nothing_beside_it() -> None:
    address = normalise("http://127.64.0.9:8080/", allow=("127.64.0.0/16",))
    assert (address.host, address.port, address.site) == ("127.64.0.9", 8080, "127.64.0.9")
    assert normalise("http://[::ffff:127.64.0.9]/", allow=("127.64.0.0/16",)).host == "127.64.0.9"
    with pytest.raises(AddressRefused):
        normalise("http://127.65.0.9/", allow=("127.64.0.0/16",))


@pytest.mark.parametrize(
    "host",
    [
        "аррӏе.com",  # Cyrillic throughout
        "pаypal.com",  # one Cyrillic letter
        "gοοgle.com",  # Greek omicrons
        "ɑpple.com",  # Latin alpha
        "paypaı.com",  # dotless i
        "g〇〇gle.com",  # ideographic zero
        "googleノcom.net",  # a katakana letter drawn like a slash
        "exampleпример.com",
        "аррӏе.xn--fiqs8s",
    ],
)
def test_a_look_alike_is_refused_and_its_xn_form_offered_and_accepted(host: str) -> None:
    refused = refusal(f"https://{host}/login")
    assert refused.code == "lookalike"
    offered = re.search(r"\S*xn--\S+", refused.message)
    assert offered is not None
    assert normalise(f"https://{offered[0]}/login").host == offered[0]


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("a.b.example.com", "example.com"),
        ("www.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("someone.github.io", "someone.github.io"),
        ("a.someone.github.io", "someone.github.io"),
        ("шахматы.пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("8.8.8.8", "8.8.8.8"),
        ("[2606:4700:4700::1111]", "2606:4700:4700::1111"),
    ],
)
def test_the_site_is_the_registrable_domain(host: str, site: str) -> None:
    assert normalise(f"http://{host}/").site == site


ONION = "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion"


def test_an_onion_service_is_accepted_as_such() -> None:
    address = normalise(f"http://www.{ONION}/")
    assert (address.network, address.host, address.site) == ("onion", f"www.{ONION}", ONION)
    assert normalise("http://example.com/").network == "web"


def test_a_mistyped_onion_address_is_refused() -> None:
    assert refusal(f"http://g{ONION[1:]}/").code == "malformed"


@pytest.mark.parametrize("name", ["foo", "facebookcorewwwi", "a" * 55, "a" * 57])
def test_an_onion_name_of_another_length_is_refused(name: str) -> None:
    assert refusal(f"http://{name}.onion/").code == "malformed"
    assert refusal(f"http://www.{name}.onion/").code == "malformed"


@pytest.mark.parametrize(
    "label", ["xn--", "xn--a", "xn--a-", "xn--example-", "xn--99999999", "xn--mnchen-3YA-"]
)
def test_an_encoded_name_that_stands_for_nothing_is_refused(label: str) -> None:
    assert refusal(f"http://{label}.com/").code == "malformed"
    assert refusal(f"http://www.{label}.com/").code == "malformed"


@pytest.mark.parametrize("label", ["xn--mnchen-3ya", "xn--i-7iq", "xn--80ak6aa92e", "xn--fa-hia"])
def test_an_encoded_name_that_opens_in_browsers_is_accepted(label: str) -> None:
    assert normalise(f"http://{label.upper()}.ws/").host == f"{label}.ws"


WEBLIKE = st.text(alphabet="abzAZ019.:/\\@?#%[]xn-_ 。üαоӏ①℀\u200d\u00ad", max_size=40)


@given(
    st.one_of(
        st.text(), WEBLIKE, WEBLIKE.map("http://".__add__), WEBLIKE.map("http://a.de/".__add__)
    )
)
@example("http://a.com/%%32%65")
@example("http://a.com/%25%32e/..")
@example("http://xn--a.com")
@example("http://0x.0x.0")
def test_any_text_is_normalised_once_and_for_all_or_refused(text: str) -> None:
    try:
        address = normalise(text)
    except AddressRefused:
        return
    assert normalise(address.url) == address
    assert address.url.isascii()
    assert not re.search(r"\s", address.url)


@given(st.integers(0, 2**32 - 1))
def test_every_notation_of_an_ipv4_address_means_the_same(number: int) -> None:
    a, b, c, d = number.to_bytes(4, "big")
    notations = (
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{b}.{c}.{d}",
        f"{a:#x}.0{b:o}.{c * 256 + d}",
        f"{a}.{number & 0xFFFFFF}",
        f"[::ffff:{a}.{b}.{c}.{d}]",
    )
    outcomes = set()
    for notation in notations:
        try:
            outcomes.add(normalise(f"http://{notation}/").url)
        except AddressRefused as refused:
            outcomes.add(refused.code)
    assert len(outcomes) == 1
