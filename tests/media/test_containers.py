"""Films are told from pictures and documents by their first bytes."""

import pytest

from strandline.media.containers import DECODERS, HEAD, container_of, is_film

TS = b"".join(b"G" + bytes(187) for _ in range(5))
M2TS = b"".join(bytes(4) + b"G" + bytes(187) for _ in range(5))


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(20), "mov"),
        (b"\0\0\0\x14ftypqt  " + bytes(20), "mov"),
        (b"\0\0\x10\0moov" + bytes(20), "mov"),
        (b"\x1a\x45\xdf\xa3" + bytes(20), "matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        (b"FLV\x01\x05", "flv"),
        (b"OggS\0", "ogg"),
        (b"\0\0\x01\xba\x44", "mpeg"),
        (b"\0\0\x01\xb3\x14", "mpegvideo"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "asf"),
        (TS, "mpegts"),
        (M2TS, "mpegts"),
    ],
)
def test_a_film_is_known_by_its_first_bytes(head, container):
    assert container_of(head[:HEAD]) == container
    assert is_film(head[:HEAD])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x20ftypavif",
        b"\0\0\0\x20ftypavis",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypmif1",
        b"G" * 100,
        b"ID3\x03",
    ],
)
def test_pictures_sound_and_text_are_no_films(head):
    assert not is_film(head)


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b'<?xml version="1.0"?><MPD></MPD>',
        b"[playlist]\nFile1=http://host.example/a.ts\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
    ],
)
def test_playlists_and_scripts_are_no_films(text):
    assert not is_film(text)


def test_decoders_that_run_or_fetch_anything_are_not_listed():
    assert not {"ansi", "ass", "tdsc", "xbin", "bintext"} & DECODERS
