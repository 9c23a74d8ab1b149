"""Which IP addresses are part of the public Internet, and which are not fetched from."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Networks in CIDR notation, such as ``("127.64.0.0/16",)``, that are reached although not public.
Networks = Sequence[str]

# ``is_global`` of the standard library follows the IANA registries, but calls some blocks
# global that no public site lives in; they are refused here as well.
_REFUSED = tuple(
    ipaddress.ip_network(block)
    for block in (
        "192.0.0.0/24",  # IETF protocol assignments, anycast helpers included (RFC 6890)
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated (RFC 7526)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "2001::/23",  # IETF protocol assignments, Teredo and ORCHID included (RFC 2928)
        "2002::/16",  # 6to4: wraps any IPv4 address (RFC 3056)
        "2620:4f:8000::/48",  # AS112 sinks (RFC 7534)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_UNICAST_IPV6 = ipaddress.IPv6Network("2000::/3")  # all that is assigned so far (RFC 4291, 2.4)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # well-known prefix (RFC 6052)
_ISATAP = (0x00005EFE, 0x02005EFE)  # third 32-bit word of an ISATAP address (RFC 5214, 6.1)


@lru_cache(maxsize=64)
def read_networks(
    networks: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Read networks in CIDR notation. Raises ``ValueError`` for what is none."""
    return tuple(ipaddress.ip_network(network) for network in networks)


def plain(address: IPAddress) -> IPAddress:
    """Take an IPv4 address out of its IPv6 notation (``::ffff:0:0/96``)."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_reachable(address: IPAddress, allow: Networks = ()) -> bool:
    """Whether ``address`` is on the public Internet or in one of the ``allow`` networks.

    Raises ``ValueError`` when ``allow`` holds something that is not a network.
    """
    address = plain(address)
    if any(
        address.version == network.version and address in network
        for network in read_networks(tuple(allow))
    ):
        return True
    if any(address.version == block.version and address in block for block in _REFUSED):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global
    wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        return is_reachable(wrapped, allow)
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP and not is_reachable(wrapped, allow):
        return False
    return address in _UNICAST_IPV6 and address.is_global and address.scope_id is None
