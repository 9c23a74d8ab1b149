"""Rows of invented hashes for the tests of other people's formats."""

import base64
import json
from datetime import UTC, datetime

from hypothesis import strategies as st

from strandline.formats import HashRow, Kind

CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#{}"
MD5 = "0123456789abcdef" * 2
SHA1 = "0123456789" * 4
SHA256 = "0123456789abcdef" * 4
PHOTODNA = bytes(range(144))
OPAQUE = base64.b64encode(PHOTODNA).decode()


def vics(*media, country="US", what="Media"):
    """A VICS 2.0 file with these media."""
    return json.dumps({"@odata.context": CONTEXT.format(country, what), "value": list(media)})


def medium(**facts):
    return {"MediaID": 1, "Category": 1, "MD5": MD5, **facts}


def ncmec(*entries, paging="", group="images"):
    """A page of NCMEC's shape with these entries, as texts."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">\n'
        f'<{group} count="{len(entries)}" maxTimestamp="2026-01-02T03:04:05Z">\n'
        + "\n".join(entries)
        + f"\n</{group}>{paging}</queryResult>"
    )


def image(number=1, md5=MD5, more=""):
    return (
        f'<image><member id="42">Example</member><timestamp>2026-01-01T00:00:00Z</timestamp>'
        f"<id>image{number}</id><classification>A1</classification>"
        f"<fingerprints><md5>{md5}</md5></fingerprints>{more}</image>"
    )


def hexes(digits):
    raw = st.binary(min_size=digits // 2, max_size=digits // 2)
    return raw.map(bytes.hex)


_FIRST, _LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - as hypothesis wants
#: One line as a source may write it: anything printable, trimmed.
words = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="|,;"), min_size=1, max_size=20
)
times = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
#: Every field filled or not, as a list of ours may hold it.
rows = st.builds(
    HashRow,
    sha256=st.none() | hexes(64),
    sha1=st.none() | hexes(40),
    md5=hexes(32),
    pdq=st.none() | hexes(64),
    quality=st.none() | st.integers(0, 100),
    photodna=st.none() | hexes(288),
    kind=st.none() | st.sampled_from(Kind),
    category=st.just("") | words,
    labels=st.lists(words, max_size=4, unique=True).map(tuple),
    facts=st.dictionaries(
        st.sampled_from(["distributed", "self-generated", "victim-identified"]), st.booleans()
    ).map(lambda facts: tuple(sorted(facts.items()))),
    source_id=st.integers(0, 10**9).map(str),
    contributor=st.just("") | words,
    changed=st.none() | times,
    size=st.none() | st.integers(0, 2**40),
)
