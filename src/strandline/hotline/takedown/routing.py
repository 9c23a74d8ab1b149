"""Who announces an address, from Team Cymru's answers over DNS. Pure: names and TXT records.

The form of question and answer is https://www.team-cymru.com/ip-asn-mapping.
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network


@dataclass(frozen=True)
class Origin:
    """The most specific announcement that covers an address."""

    asn: int
    prefix: str
    #: ISO 3166-1 alpha-2 as the registry has it; empty when it says nothing usable.
    country: str


def origin_question(ip: str) -> str:
    """The name to ask TXT of: the address's octets or nibbles, reversed."""
    address = ip_address(ip)
    if address.version == 4:
        return ".".join(reversed(str(address).split("."))) + ".origin.asn.cymru.com"
    return ".".join(reversed(address.exploded.replace(":", ""))) + ".origin6.asn.cymru.com"


def read_origin(texts: tuple[str, ...]) -> Origin | None:
    """The origin in ``64496 | 192.0.2.0/24 | NL | ripencc | 2010-01-01``; longest prefix wins."""
    found: list[tuple[int, Origin]] = []
    for text in texts:
        fields = _fields(text)
        if len(fields) < 3:
            continue
        # Announced by several systems: they stand in one field, the first is as good as any.
        asn = _number(fields[0].split(" ")[0])
        try:
            network = ip_network(fields[1], strict=False)
        except ValueError:
            continue
        if asn is not None:
            found.append((network.prefixlen, Origin(asn, str(network), _country(fields[2]))))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def system_question(asn: int) -> str:
    """The name to ask TXT of for an autonomous system's own name."""
    return f"AS{asn}.asn.cymru.com"


def read_system_name(texts: tuple[str, ...]) -> str:
    """The name in ``64496 | NL | ripencc | 2010-01-01 | ALDER-NET, NL``; empty without one."""
    for text in texts:
        fields = _fields(text)
        if len(fields) >= 5:
            name = "".join(sign if sign.isprintable() else " " for sign in fields[4])
            return " ".join(name.split())[:120]
    return ""


def _fields(text: str) -> list[str]:
    return [field.strip() for field in text[:1000].replace('"', "").split("|")]


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
    return number if 0 < number < 2**32 else None


def _country(text: str) -> str:
    text = text.upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""
