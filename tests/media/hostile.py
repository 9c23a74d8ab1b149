"""Files made to harm whoever decodes them, by name; each is small and made in milliseconds.

Independent of the package: for tests here and as seeds for fuzzing.
"""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

_DATA = Path(__file__).parent / "data"


def _drawn(size: tuple[int, int] = (64, 48)) -> Image.Image:
    picture = Image.new("RGB", size, (250, 240, 220))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((4, 4, size[0] // 2, size[1] - 4), fill=(20, 90, 180))
    pen.rectangle((size[0] // 2, 8, size[0] - 6, size[1] - 8), fill=(200, 30, 40))
    return picture


def _saved(kind: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    out = io.BytesIO()
    _drawn(size).save(out, kind, **options)
    return out.getvalue()


def _patched(data: bytes, at: int, by: bytes) -> bytes:
    assert 0 <= at <= len(data) - len(by)
    return data[:at] + by + data[at + len(by) :]


# PNG


def chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(
    width: int,
    height: int,
    *extra: bytes,
    depth: int = 1,
    colour: int = 0,
    rows: bytes | None = None,
) -> bytes:
    """A PNG that claims this size, with one row of pixels unless told."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    stored = bytes(1 + (width + 7) // 8) if rows is None else rows
    body = b"".join(extra) + chunk(b"IDAT", zlib.compress(stored, 9))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def _zeros(mebibytes: int) -> bytes:
    """So many zeros, deflated to a thousandth of that."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    check = (mebibytes * 2**20 % 65_521) << 16 | 1
    return b"\x78\xda" + piece * mebibytes + b"\x03\x00" + struct.pack(">I", check)


def png_compressed_text_bomb(mebibytes: int = 200) -> bytes:
    return png(8, 1, chunk(b"zTXt", b"Comment\x00\x00" + _zeros(mebibytes)))


def png_international_text_bomb(mebibytes: int = 200) -> bytes:
    return png(8, 1, chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + _zeros(mebibytes)))


def png_profile_bomb(mebibytes: int = 200) -> bytes:
    return png(8, 1, chunk(b"iCCP", b"profile\x00\x00" + _zeros(mebibytes)))


def png_exif_that_points_at_itself() -> bytes:
    exif = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1)
    exif += struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    return png(8, 1, chunk(b"eXIf", exif))


def png_that_says_it_has_billions_of_frames() -> bytes:
    control = struct.pack(">IIIIIHHBB", 0, 8, 1, 0, 0, 1, 10, 0, 0)
    return png(8, 1, chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0)), chunk(b"fcTL", control))


# GIF


def gif(
    canvas: tuple[int, int],
    frames: int = 1,
    *,
    frame: tuple[int, int] = (1, 1),
    at: tuple[int, int] = (0, 0),
    hundredths: int = 2,
    disposal: int = 1,
) -> bytes:
    """A GIF of one-colour frames, each about 30 bytes; 4 colours, the third transparent."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x91, 0, 0)
    head += bytes((255, 255, 255, 0, 0, 0, 10, 200, 30, 200, 10, 30))
    whole = [head]
    for number in range(frames):
        whole.append(b"!\xf9\x04" + struct.pack("<BHBB", disposal << 2 | 1, hundredths, 2, 0))
        whole.append(b"," + struct.pack("<HHHHB", *at, *frame, 0))
        whole.append(b"\x02" + _lzw((1, 3)[number % 2], frame[0] * frame[1]))
    return b"".join([*whole, b";"])


def gif_whose_second_frame_lies_outside() -> bytes:
    return gif((8, 8))[:-1] + gif((8, 8), at=(60_000, 60_000))[25:]


def _lzw(index: int, count: int) -> bytes:
    """GIF's LZW for ``count`` pixels of one colour of four: a clear code before every second."""
    bits, length = 0, 0
    codes = []
    for start in range(0, count, 2):
        codes += [4, *[index] * min(2, count - start)]
    for code in [*codes, 5]:
        bits |= code << length
        length += 3
    packed = bits.to_bytes((length + 7) // 8, "little")
    blocks = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return b"".join(bytes((len(block),)) + block for block in blocks) + b"\x00"


# TIFF


def _tiff(entries: list[tuple[int, int, int, int]], following: int, *more: bytes) -> bytes:
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00\x08\x00\x00\x00" + directory + struct.pack("<I", following) + b"".join(more)


def _grey_entries(width: int, height: int, offset: int, count: int) -> list[tuple[int, ...]]:
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, count),
    ]  # fmt: skip


def tiff_whose_pages_go_in_a_circle() -> bytes:
    entries = _grey_entries(8, 8, 8 + 2 + 9 * 12 + 4, 64)
    return _tiff(entries, 8, bytes(range(64)))


def tiff_whose_exif_goes_in_a_circle() -> bytes:
    entries = [*_grey_entries(8, 8, 8 + 2 + 10 * 12 + 4, 64), (0x8769, 4, 1, 8)]
    return _tiff(entries, 0, bytes(range(64)))


def tiff_that_claims(width: int, height: int) -> bytes:
    return _tiff(_grey_entries(width, height, 8, 0xFFFFFFF0), 0, bytes(64))


def tiff_with_an_endless_tag() -> bytes:
    entries = [*_grey_entries(8, 8, 8 + 2 + 10 * 12 + 4, 64), (270, 2, 0xFFFFFFF0, 8)]
    return _tiff(entries, 0, bytes(range(64)))


# Icons


def ico(pictures: list[bytes], claimed: tuple[int, int] = (16, 16)) -> bytes:
    """An icon of PNG files, each said to be of the claimed size (0 is 256)."""
    place = 6 + 16 * len(pictures)
    directory, body = b"", b""
    for picture in pictures:
        directory += struct.pack("<BBBBHHII", *claimed, 0, 0, 1, 32, len(picture), place)
        place += len(picture)
        body += picture
    return struct.pack("<HHH", 0, 1, len(pictures)) + directory + body


# Sizes written over those of a real file


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = _saved("JPEG")
    return _patched(data, data.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


def webp_that_claims(width: int, height: int) -> bytes:
    picture = _drawn().convert("RGBA")
    picture.putalpha(200)
    out = io.BytesIO()
    picture.save(out, "WEBP")
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _patched(out.getvalue(), out.getvalue().index(b"VP8X") + 12, size)


def jpeg2000_that_claims(width: int, height: int) -> bytes:
    data = _saved("JPEG2000")
    size = struct.pack(">II", width, height)
    data = _patched(data, data.index(b"\xff\x51") + 6, size)
    return _patched(data, data.index(b"ihdr") + 4, struct.pack(">II", height, width))


def bmp_that_claims(width: int, height: int) -> bytes:
    return _patched(_saved("BMP"), 18, struct.pack("<ii", width, height))


def avif_that_claims(width: int, height: int) -> bytes:
    data = _saved("AVIF")
    return _patched(data, data.index(b"ispe") + 8, struct.pack(">II", width, height))


def ppm_that_claims(width: int, height: int) -> bytes:
    return b"P6\n%d %d\n255\n" % (width, height) + bytes(300)


def heic_that_claims(width: int, height: int) -> bytes:
    data = (_DATA / "eight-bit.heic").read_bytes()
    place = data.index(b"ispe")
    while place >= 0:
        data = _patched(data, place + 8, struct.pack(">II", width, height))
        place = data.find(b"ispe", place + 4)
    return data


def heic_with_a_giant_grid(columns: int = 256, rows: int = 256) -> bytes:
    """A grid of six tiles that says it is of 65,536, and of 65,535 by 65,535 pixels."""
    data = (_DATA / "grid.heic").read_bytes()
    grid = b"\x00\x00\x01\x02" + struct.pack(">HH", 192, 128)  # 2 rows, 3 columns
    giant = bytes((0, 0, rows - 1, columns - 1)) + struct.pack(">HH", 65_535, 65_535)
    data = _patched(data, data.index(grid), giant)
    size = struct.pack(">II", 192, 128)
    place = data.find(size)
    while place >= 0:
        data = _patched(data, place, struct.pack(">II", 65_535, 65_535))
        place = data.find(size, place)
    return data


def heic_whose_metadata_have_an_impossible_name() -> bytes:
    data = (_DATA / "exif-says-turned.heic").read_bytes()
    return data.replace(b"Exif", b"\xffxif", 1)


def jpeg_with_thousands_of_scans(scans: int = 2_000) -> bytes:
    """A progressive JPEG whose last scan comes again and again, each time all of its pixels."""
    data = _saved("JPEG", (512, 512), progressive=True, quality=60)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


#: What no decoder may be harmed by, with the verdict it must get ("decoded" where a picture can
#: be made of it without harm).
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "png-60000-square": (lambda: png(60_000, 60_000), "too-large"),
    "png-of-no-pixels": (lambda: png(0, 0), "undecodable"),
    "png-strip": (lambda: png(80_000_000, 1), "too-large"),
    "png-compressed-text": (png_compressed_text_bomb, "decoded"),
    "png-international-text": (png_international_text_bomb, "decoded"),
    "png-profile": (png_profile_bomb, "decoded"),
    "png-exif-circle": (png_exif_that_points_at_itself, "decoded"),
    "png-billions-of-frames": (png_that_says_it_has_billions_of_frames, "decoded"),
    "gif-giant-canvas": (lambda: gif((65_535, 65_535)), "too-large"),
    "gif-frame-outside": (lambda: gif((8, 8), at=(60_000, 60_000)), "too-large"),
    "gif-second-frame-outside": (gif_whose_second_frame_lies_outside, "decoded"),
    "gif-10000-frames": (lambda: gif((64, 64), 10_000), "decoded"),
    "gif-of-no-pixels": (lambda: gif((0, 0), frame=(0, 0)), "undecodable"),
    "tiff-circle": (tiff_whose_pages_go_in_a_circle, "decoded"),
    "tiff-exif-circle": (tiff_whose_exif_goes_in_a_circle, "decoded"),
    "tiff-endless-tag": (tiff_with_an_endless_tag, "decoded"),
    "tiff-60000-square": (lambda: tiff_that_claims(60_000, 60_000), "too-large"),
    "ico-huge-png": (lambda: ico([png(20_000, 20_000)]), "too-large"),
    "ico-of-many": (lambda: ico([_saved("PNG", (16, 16))] * 5_000), "decoded"),
    "ico-of-itself": (lambda: ico([ico([png(16, 16)])]), "undecodable"),
    "jpeg-65535-square": (lambda: jpeg_that_claims(65_535, 65_535), "too-large"),
    "jpeg-of-no-pixels": (lambda: jpeg_that_claims(0, 0), "undecodable"),
    "jpeg-no-height": (lambda: jpeg_that_claims(64, 0), "undecodable"),
    "jpeg-8000-square": (lambda: jpeg_that_claims(8_000, 8_000), "decoded"),
    "webp-16384-square": (lambda: webp_that_claims(16_384, 16_384), "too-large"),
    "jpeg2000-60000-square": (lambda: jpeg2000_that_claims(60_000, 60_000), "too-large"),
    "bmp-2147483647-wide": (lambda: bmp_that_claims(2**31 - 1, 2), "too-large"),
    "bmp-negative": (lambda: bmp_that_claims(-64, -48), "too-large"),
    "avif-60000-square": (lambda: avif_that_claims(60_000, 60_000), "undecodable"),
    "ppm-60000-square": (lambda: ppm_that_claims(60_000, 60_000), "too-large"),
    "heic-60000-square": (lambda: heic_that_claims(60_000, 60_000), "too-large"),
    "heic-giant-grid": (heic_with_a_giant_grid, "undecodable"),
    "jpeg-thousands-of-scans": (jpeg_with_thousands_of_scans, "decoded"),
}  # fmt: skip

#: What ends the worker in a decoder of today's wheels (pi_heif 1.4.0): a crash is a verdict too.
CRASHES: dict[str, Callable[[], bytes]] = {
    "heic-metadata": heic_whose_metadata_have_an_impossible_name,
}
