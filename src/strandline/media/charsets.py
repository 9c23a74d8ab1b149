"""Bytes of a page to text, by the encodings browsers know. Runs in the worker only.

After the WHATWG Encoding Standard: a byte order mark wins, then what the server said, then what
the page says of itself, then UTF-8 if the bytes are valid UTF-8, else windows-1252.
"""

import codecs
import re

#: Label -> Python codec. ISO-8859-1 and ASCII mean windows-1252 to a browser.
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16-le"),
    "utf-16be": "utf-16-be",
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "ascii", "us-ascii", "cp1252"), "cp1252"),
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    "windows-874": "cp874",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso-8859-9": "cp1254",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    "big5": "big5hkscs",
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j"), "cp932"),
    "euc-jp": "euc-jp",
    "iso-2022-jp": "iso2022-jp",
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)


def prepare() -> None:
    """Load every codec, while files can still be read."""
    for codec in set(_CODECS.values()):
        b"a".decode(codec, "replace")


def decode_page(data: bytes, charset: str | None) -> str:
    """Decode a page; what does not fit becomes U+FFFD. Never fails."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    codec = _CODECS.get((charset or "").strip().lower(), "") or _declared(data[:4096])
    if codec:
        return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _declared(head: bytes) -> str:
    found = _DECLARED.search(head)
    codec = _CODECS.get(found[1].decode("ascii").lower(), "") if found else ""
    # A page that could be searched as ASCII is not UTF-16, whatever it says.
    return "utf-8" if codec.startswith("utf-16") else codec
