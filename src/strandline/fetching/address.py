"""Web addresses in one normal form, and those that are refused with a sentence saying why.

The normal form follows RFC 3986 (section 6.2.2 and 6.2.3) and IDNA 2008 with the mapping of
UTS 46. Where RFC 3986 leaves open what a browser accepts (backslashes, missing slashes, IPv4
addresses in octal or hexadecimal), the reading is that of the WHATWG URL standard, so that an
address means here what it means to the person who copied it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal
from urllib.parse import quote

from publicsuffixlist import PublicSuffixList

from strandline.errors import AddressRefused
from strandline.fetching.hosts import read_host
from strandline.fetching.networks import Networks

MAX_LENGTH = 2048  # characters, before and after normalising

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEMES_WITH_AT = {"mailto", "sip", "sips", "xmpp", "acct", "im"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BARE_HOST_AND_PORT = re.compile(r"[^/\\?#@:]*[.][^/\\?#@:]*:[0-9]{0,5}(?:[/\\?#]|$)")
_AUTHORITY = re.compile(r"([^/?#]*)([^?#]*)(\?[^#]*)?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

_IS_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_UNRESERVED = "-._~"  # quote() adds letters and digits (RFC 3986, 2.3)
_PATH_SAFE = _UNRESERVED + "!$&'()*+,;=:@/"  # pchar and the slash (RFC 3986, 3.3)
_QUERY_SAFE = _PATH_SAFE + "?"


@dataclass(frozen=True)
class WebAddress:
    """An address in normal form.

    ``host`` is ASCII, in lower case, without brackets; ``site`` the registrable domain (what one
    owner registers below a public suffix), or the host itself where there is none.
    """

    url: str
    scheme: str
    host: str
    port: int
    site: str
    network: Literal["web", "onion"] = "web"


def normalise(text: str, *, allow: Networks = ()) -> WebAddress:
    """Bring what somebody typed or pasted into normal form; idempotent.

    ``allow`` names networks accepted although they are not public. Raises
    :class:`AddressRefused`, and nothing else, with a sentence for the person who typed it.
    """
    return read(text, allow=allow)


def read(
    text: str, *, allow: Networks = (), longest: int = MAX_LENGTH, lookalikes: bool = False
) -> WebAddress:
    """Normalise an address that may come from a page rather than from a person.

    Servers send longer ones than people do, and a look-alike deceives a reader, not a fetcher:
    ``lookalikes=True`` accepts them. Raises :class:`AddressRefused`.
    """
    text = text.strip("".join(map(chr, range(0x21))) + "\u00a0\u200b\u2060\ufeff")
    if not text:
        raise AddressRefused("malformed", "No address was given. Please paste the page's address.")
    if len(text) > longest:
        raise _too_long(longest)
    if _INVISIBLE.search(text):
        raise AddressRefused(
            "malformed",
            "The address contains a line break or another invisible character. "
            "Please enter one address at a time, copied from the browser's address bar.",
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise AddressRefused(
            "malformed",
            "The address contains characters that cannot be read. Please copy it again.",
        ) from None
    scheme, rest = _split_scheme(text)
    authority, path, query = _split_rest(rest)
    host_text, port = _split_authority(authority, scheme)
    host, network = read_host(host_text, allow=allow, lookalikes=lookalikes)
    shown = f"[{host}]" if ":" in host else host
    if port != _DEFAULT_PORTS[scheme]:
        shown += f":{port}"
    url = f"{scheme}://{shown}{_normal_path(path)}{_recode(query, _QUERY_SAFE)}"
    if len(url) > longest:
        raise _too_long(longest)
    return WebAddress(url, scheme, host, port, site_of(host), network)


def site_of(host: str) -> str:
    """Return the registrable domain of an ASCII host name, or the host if it has none."""
    if ":" in host or host.rpartition(".")[2].isdigit():
        return host
    return _suffixes().privatesuffix(host) or host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # reads its bundled copy: 75 ms, once per process


def _too_long(longest: int) -> AddressRefused:
    return AddressRefused(
        "too-long",
        f"The address is longer than {longest} characters. Please check that only the address "
        "was pasted; often the part after the question mark can be left out.",
    )


def _split_scheme(text: str) -> tuple[str, str]:
    match = _SCHEME.match(text)
    if match is None or _BARE_HOST_AND_PORT.match(text):
        return "http", text.lstrip("/\\")
    scheme = match[1].lower()
    if scheme in _DEFAULT_PORTS:
        return scheme, text[match.end() :].lstrip("/\\")
    if scheme == "localhost":
        return "http", text
    if scheme not in _SCHEMES_WITH_AT and "@" in re.split(r"[/\\?#]", text, maxsplit=1)[0]:
        return "http", text  # name:password@host, refused as such
    raise AddressRefused(
        "scheme",
        f"Addresses beginning with “{scheme[:30]}:” are not on the web and cannot be checked. "
        "Please give one that begins with http:// or https://.",
    )


def _split_rest(rest: str) -> tuple[str, str, str]:
    before_query, mark, query = rest.partition("#")[0].partition("?")
    match = _AUTHORITY.match(before_query.replace("\\", "/") + mark + query)
    assert match is not None
    return match[1], match[2], match[3] or ""


def _split_authority(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise AddressRefused(
            "credentials",
            "The address contains a user name or password before an “@”. "
            "Please remove that part, so that nobody's access is passed on.",
        )
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        head, colon, tail = authority.rpartition(":")
        if colon:
            host, port = head, tail
    if not port:
        return host, _DEFAULT_PORTS[scheme]
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise AddressRefused(
            "malformed",
            "The part after the colon is not a port number between 1 and 65535. "
            "Please copy the address again.",
        )
    return host, int(port)


def _recode(text: str, safe: str) -> str:
    """Percent-encode all that must be and nothing that need not be (RFC 3986, 6.2.2.2)."""
    parts: list[str] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        octet = chr(int(match[1], 16))
        parts += (
            quote(text[position : match.start()], safe=safe),
            octet if _IS_UNRESERVED.fullmatch(octet) else match[0].upper(),
        )
        position = match.end()
    return "".join((*parts, quote(text[position:], safe=safe)))


def _normal_path(path: str) -> str:
    coded = _recode(path, _PATH_SAFE)
    output: list[str] = []
    segments = coded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if output:
                output.pop()
        elif segment != ".":
            output.append(segment)
    if segments and segments[-1] in {".", ".."}:
        output.append("")  # "/a/." is the directory "/a/", not the file "/a" (RFC 3986, 5.2.4)
    return "/" + "/".join(output)
