"""Thousands of broken files: each is read, or refused with a place, quickly and in little memory.

``STRANDLINE_TEST_MUTATIONS=20000`` makes as many of each format.
"""

import io
import os
import random
import time
import tracemalloc

import pytest

from formats_rows import MD5, OPAQUE, PHOTODNA, SHA1, SHA256, image, medium, ncmec, vics
from strandline import formats
from strandline.errors import FormatRefused
from strandline.formats import HashRow, Losses, Unreadable

MUTATIONS = int(os.environ.get("STRANDLINE_TEST_MUTATIONS", "400"))
#: Seconds of processor that one small file may take.
SLOWEST = 2
MOST_MEMORY = 64 * 2**20

FULL = medium(
    SHA1=SHA1, MediaSize="7", PhotoDNA=OPAQUE, Tags="a,b", Series="S", IsDistributed="true",
    DateUpdated="/Date(1767753109830)/", MimeType="image/png",
    MediaFiles=[{"MD5": MD5, "FileName": "a", "FilePath": "C:\\x\\"}],
    AlternativeHashes=[{"MD5": MD5, "HashName": "SHA256", "HashValue": SHA256}],
)  # fmt: skip
WHOLE = {
    "vics": [
        vics(FULL, FULL, medium()),
        vics({"CaseID": "{x}", "CaseNumber": "1", "Media": [FULL, FULL]}, what="Cases"),
    ],
    "ncmec": [
        ncmec(
            image(1, more="<a><b c='d'/></a>"), image(2), "<deletedImage><id>7</id></deletedImage>"
        ),
        ncmec(image(1), paging="<paging><next>/v2/entries?a=1&amp;b=2</next></paging>"),
    ],
    "csv": [
        f'md5,sha1,category,labels,size,changed\r\n{MD5},{SHA1},"a ""b""",x|y,7,2026-01-01\r\n' * 3,
        f"{MD5}\n{MD5}\n",
    ],
    "icse": [
        (
            "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Baseline\n"
            f"{MD5};{SHA1};{PHOTODNA.hex()};7;True;False;1\n"
        )
    ],
    "stopncii": [
        (
            '{"count": 1, "hashRecords": [{"lastModtimestamp": 1, "signalType": "ImagePDQ", '
            f'"hashValue": "{SHA256}", "hashStatus": "Active", "caseNumbers": {{"a": "b"}}}}]}}'
        )
    ],
    "arachnid": [
        (
            '[{"size_bytes": 1, "sha1_base32": "' + "A" * 32 + f'", "sha256_hex": "{SHA256}", '
            '"classification": "csam", "near_match_details": [{"timestamp": 0.5}]}]'
        )
    ],
}
PARTS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"<", b">", b"</image>", b"<image>", b"&x;",
    b"<!DOCTYPE a>", b"<![CDATA[", b"]]>", b"<!--", b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800",
    b"1e999", b"9" * 400, b"-", b"null", b"true", b"NaN", b"[" * 60, b'{"a":' * 60, b"\r", b"\n",
    b"\x1f\x8b", b"\xef\xbb\xbf", b"=1", b"'", b";", b"\t", b"\x85", b"\xe2\x80\xa8",
]  # fmt: skip


def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, to = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : min(to, at + 40)]
            case 2:
                data[at:at] = chance.choice(PARTS)
            case 3:
                data[at:at] = data[at : min(to, at + 200)]
            case 4:
                del data[at:]
            case _:
                data[at:to] = data[at:to][::-1]
        data = data or bytearray(b" ")
    return bytes(data)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_every_broken_file_is_read_or_refused(name):
    chance = random.Random(f"exchange {name}")
    refused = unreadable = whole = 0
    for number in range(MUTATIONS):
        data = mutated(chance.choice(WHOLE[name]).encode(), chance)
        losses = Losses()
        begun = time.process_time()
        said = ""
        try:
            found = list(formats.read(name, io.BytesIO(data), losses))
        except FormatRefused as refusal:
            refused += 1
            said = refusal.message
        else:
            assert all(isinstance(row, HashRow | Unreadable) for row in found), (number, data)
            unreadable += any(isinstance(row, Unreadable) for row in found)
            whole += 1
        assert not any(secret in said for secret in (MD5, SHA1, SHA256, OPAQUE)), (number, data)
        assert time.process_time() - begun < SLOWEST, (number, data)
        assert all(loss.text for loss in losses)
    assert refused + whole == MUTATIONS
    assert refused > MUTATIONS // 50
    assert whole > MUTATIONS // 50


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vics", b"[" * 3_000_000),
        ("vics", b'{"value":[' + b'{"a":' * 1_000_000),
        ("vics", b'{"value":[{"a":[' + b"[]," * 1_000_000),
        ("vics", b'{"value":[{"' + b"k" * 20_000_000),
        ("vics", b'{"value":[{"a":"' + b'\\"' * 10_000_000),
        ("vics", b'{"value":[' + b"1" * 20_000_000),
        ("vics", b'{"value":[' + b" " * 20_000_000),
        ("arachnid", b"[" + b'{"a":[' * 1_000_000),
        ("stopncii", b'{"hashRecords":[' + b"[{}," * 1_000_000),
        ("ncmec", b"<a " + b"b='c' " * 3_000_000),
        ("csv", b"md5\n" + b'"' * 5_000_000),
        ("csv", b'md5\n"' + b"\n" * 5_000_000),
        ("csv", b"md5\n" + b"," * 5_000_000),
    ],
)
def test_what_is_made_to_fill_memory_is_refused_early(name, data):
    stream = io.BytesIO(data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatRefused):
            list(formats.read(name, stream, Losses()))
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
