"""The host part of an address: a name, or an IP address in any of its disguises."""

import base64
import hashlib
import ipaddress
import re
from typing import Literal
from urllib.parse import unquote_to_bytes

import idna

from strandline.errors import AddressRefused
from strandline.fetching.lookalikes import imitates_ascii, mixes_alphabets
from strandline.fetching.networks import IPAddress, Networks, is_reachable, plain

Network = Literal["web", "onion"]

# Underscores and hyphens at the edge are not host names by RFC 1123, but resolve and are used.
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IN_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]+\]")
_ONION_LENGTH = 56  # in base32; the shorter names of version 2 opened nothing after 2021
_MAX_NAME = 253  # octets (RFC 1035, 2.3.4, less the root's)

# Names that are answered from inside: RFC 6761, 6762, 8375, ICANN's .internal, and customs.
_INSIDE = (
    *("localhost", "localdomain", "local", "internal", "home.arpa"),
    *("intranet", "private", "corp", "home", "lan"),
)


def read_host(text: str, *, allow: Networks, lookalikes: bool) -> tuple[str, Network]:
    """Return the host in ASCII and lower case, and the network it is reached through.

    Raises :class:`AddressRefused`.
    """
    if not text:
        raise AddressRefused(
            "no-host",
            "The address names no site. Please give it in full, such as example.com/page.",
        )
    if text.startswith("[") or text.endswith("]"):
        return _public(_ipv6(text), allow), "web"
    labels = _labels(_unescape(text), lookalikes=lookalikes)
    if _NUMBER.fullmatch(labels[-1]):
        return _public(_ipv4(labels), allow), "web"
    name = ".".join(labels)
    if len(name) > _MAX_NAME:
        raise _malformed("The name of the site is longer than names can be.")
    if any(name == inside or name.endswith(f".{inside}") for inside in _INSIDE):
        raise _private("The address points into a private network, not to the public web.")
    if len(labels) == 1:
        raise AddressRefused(
            "no-host",
            f"“{name}” is not a full site name: there is no dot in it. "
            "Please give it in full, such as example.com/page.",
        )
    if labels[-1] == "onion":
        return _onion(labels), "onion"
    return name, "web"


def _malformed(what: str) -> AddressRefused:
    return AddressRefused(
        "malformed", f"{what} Please copy the address again from the browser's address bar."
    )


def _private(what: str) -> AddressRefused:
    return AddressRefused("private", f"{what} Only pages that anyone can open can be checked.")


def _public(address: IPAddress, allow: Networks) -> str:
    if not is_reachable(address, allow):
        raise _private("The address is reserved or inside a private network.")
    return str(plain(address))


def _unescape(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _malformed("The name of the site contains characters that cannot be read.") from None


def _ipv6(text: str) -> ipaddress.IPv6Address:
    try:
        if _IN_BRACKETS.fullmatch(text):
            return ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        pass
    raise _malformed("What is between the square brackets is not an IPv6 address.")


def _ipv4(labels: list[str]) -> ipaddress.IPv4Address:
    """Read 127.1, 0x7f.1, 0177.0.0.1 or 2130706433 as browsers do (WHATWG URL, 3.5)."""
    refusal = _malformed("The number in place of a site name is not an IPv4 address.")
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        raise refusal
    try:
        *head, last = [_number(label) for label in labels]
    except ValueError:
        raise refusal from None
    if any(part > 255 for part in head) or last >= 256 ** (4 - len(head)):
        raise refusal
    total = last + sum(part << (8 * (3 - index)) for index, part in enumerate(head))
    return ipaddress.IPv4Address(total)


def _number(label: str) -> int:
    if len(label) > 64:
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if len(label) > 1 and label.startswith("0") else 10)


def _labels(name: str, *, lookalikes: bool) -> list[str]:
    """Map a host name by UTS 46, check it, and encode each label by IDNA 2008."""
    if name.isascii():
        mapped = name.lower()
    else:
        try:
            mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        except (idna.IDNAError, UnicodeError):
            raise _not_a_name(name) from None
    labels = mapped.removesuffix(".").split(".")
    top = labels[-1]
    encoded = [_encode(label) for label in labels]
    if not lookalikes:
        for label in labels:
            if mixes_alphabets(label) or (label is not top and imitates_ascii(label, top)):
                raise AddressRefused(
                    "lookalike",
                    "The name of the site is written with letters that look like others, so it "
                    "may not be the site it seems to be. If you are sure, paste it as the "
                    f"browser's address bar shows it: {'.'.join(encoded)}",
                )
    return encoded


def _encode(label: str) -> str:
    if label.isascii():
        if _LABEL.fullmatch(label) and (not label.startswith("xn--") or _is_punycode(label)):
            return label
        raise _not_a_name(label)
    try:
        return idna.alabel(label).decode()
    except (idna.IDNAError, UnicodeError):
        raise _not_a_name(label) from None


def _is_punycode(label: str) -> bool:
    """Whether a label that says it is encoded stands for letters a name may have (UTS 46, 4).

    IDNA 2008 is narrower: names with symbols are still registered, and open in browsers.
    """
    try:
        letters = label[4:].encode().decode("punycode")
        mapped = idna.uts46_remap(letters, std3_rules=False, transitional=False)
        return not letters.isascii() and mapped == letters and _punycode(letters) == label[4:]
    except (idna.IDNAError, UnicodeError, ValueError, OverflowError):
        return False


def _punycode(letters: str) -> str:
    return letters.encode("punycode").decode()


def _not_a_name(part: str) -> AddressRefused:
    if part.isascii():
        return _malformed("The name of the site is empty in places or has characters no name has.")
    return _malformed(
        "The name of the site has characters that are not allowed in names. If the page opens "
        "nevertheless, the browser can show its name in the form that begins with xn--."
    )


def _onion(labels: list[str]) -> str:
    """Check an onion service's name; version 3 names carry a checksum (Tor rend-spec-v3, 6)."""
    service = labels[-2]
    if len(service) != _ONION_LENGTH:
        raise _malformed(
            f"The onion address is incomplete: its name has {len(service)} characters, and all "
            f"that can still be opened have {_ONION_LENGTH}."
        )
    try:
        raw = base64.b32decode(service.upper())
    except ValueError:
        raise _malformed("The onion address is mistyped.") from None
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    if hashlib.sha3_256(b".onion checksum" + key + version).digest()[:2] != checksum:
        raise _malformed("The onion address is mistyped: its checksum does not fit.")
    return ".".join(labels)
