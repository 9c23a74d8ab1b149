"""One photograph in every colour mode and format must stay the same picture."""

import functools
import io
import struct
from collections.abc import Iterator

import numpy as np
import pytest
import skimage.data
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from strandline.errors import Undecodable
from strandline.hashing import pdq
from strandline.media import Limits, Sandbox
from strandline.media.colour import to_pixels
from strandline.media.decoding import decode

LIMITS = Limits()

#: At most so many of 256 bits between the photograph and itself in another mode: the promise is
#: 10. Measured with scikit-image's astronaut, coffee and chelsea: 4 at most; 2 for bilevel.
MOST_BITS = 10

FORMATS = {
    "PNG": {}, "TIFF": {}, "TIFF lzw": {"compression": "tiff_lzw"},
    "TIFF jpeg": {"compression": "jpeg"}, "JPEG": {}, "JPEG progressive": {"progressive": True},
    "WEBP": {}, "WEBP lossless": {"lossless": True}, "GIF": {}, "BMP": {}, "DIB": {}, "PPM": {},
    "ICO": {}, "AVIF": {}, "JPEG2000": {},
}  # fmt: skip

_LAB = ImageCms.createProfile("LAB")
_SRGB = ImageCms.createProfile("sRGB")


def _opaque(image: Image.Image) -> Image.Image:
    image.putalpha(Image.new("L", image.size, 255))
    return image


def _modes(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    grey = photo.convert("L")
    samples = np.asarray(grey)
    for mode in ("1", "L", "RGB", "P", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F"):
        yield mode, photo.convert(mode) if mode not in "IF" else grey.convert(mode)
    yield "P adaptive", photo.quantize(256)
    for mode in ("LA", "RGBA"):
        yield mode, _opaque(photo.convert(mode))
    yield "PA", _opaque(photo.copy()).convert("PA")
    yield "RGBa", _opaque(photo.copy()).convert("RGBa")
    yield "LAB", ImageCms.profileToProfile(photo, _SRGB, _LAB, outputMode="LAB")
    yield "I;16", Image.fromarray(samples.astype(np.uint16) * 257)
    big_endian = (samples.astype(">u2") * 257).tobytes()
    yield "I;16B", Image.frombytes("I;16B", grey.size, big_endian)
    yield "I 16 bits", Image.fromarray(samples.astype(np.int32) * 257)
    yield "I 32 bits", Image.fromarray((samples * np.uint32(0x1010101)).view(np.int32))
    yield "F to 1", Image.fromarray(samples.astype(np.float32) / 255)
    yield "F to 65535", Image.fromarray(samples.astype(np.float32) * 257)


#: Files in which Pillow itself, when writing, clips all samples above 255 (or rounds all below 1)
#: to white (or black): the picture is not in the file. Measured: 86 to 204 bits.
_LOST_IN_WRITING = {
    (mode, kind)
    for mode in ("I;16", "I;16B", "I 16 bits", "I 32 bits", "F to 1", "F to 65535")
    for kind in ("WEBP", "WEBP lossless", "GIF", "AVIF")
} | {("I;16B", "ICO"), ("I 32 bits", "PPM")}

_PHOTO = Image.fromarray(skimage.data.chelsea())
_MODES = dict(_modes(_PHOTO))
_ICON = _PHOTO.resize((256, 256))
_ICON_MODES = dict(_modes(_ICON))
#: Dithering is coarse at an icon's size, 256 by 256. Measured: 14 bits; 2 at 451 by 300.
_MOST_BITS_OF_ICON = {"1": 16}


def _bits(one: np.ndarray, other: np.ndarray) -> int:
    return (int(pdq(one).hash, 16) ^ int(pdq(other).hash, 16)).bit_count()


@pytest.mark.parametrize("mode", _MODES)
def test_a_photograph_in_any_colour_mode_and_format_keeps_its_hash(mode, encode, capfd):
    written = 0
    for kind, options in FORMATS.items():
        if (mode, kind) in _LOST_IN_WRITING:
            continue
        try:
            stored = (_ICON_MODES if kind == "ICO" else _MODES)[mode]
            data = encode(stored, kind.split()[0], **options)
        except (OSError, ValueError, KeyError):
            continue  # Pillow does not write this mode in this format
        decoded = decode(data, LIMITS)
        assert not decoded.truncated
        if kind == "ICO":
            most = _MOST_BITS_OF_ICON.get(mode, MOST_BITS)
            assert _bits(decoded.pixels, np.asarray(_ICON)) <= most
        else:
            assert _bits(decoded.pixels, np.asarray(_PHOTO)) <= MOST_BITS, kind
        written += 1
    capfd.readouterr()  # libtiff tells what it cannot write
    assert written >= 2


@functools.cache
def _modes_of(name: str) -> dict[str, Image.Image]:
    return dict(_modes(Image.fromarray(getattr(skimage.data, name)())))


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LAB", "I;16", "F to 1"])
def test_other_photographs_keep_theirs_at_full_size(name, mode, encode):
    modes = _modes_of(name)
    decoded = decode(encode(modes[mode], "TIFF"), LIMITS)
    assert _bits(decoded.pixels, np.asarray(modes["RGB"])) <= MOST_BITS


def test_sixteen_colours_are_another_picture(encode):
    """Not a matter of decoding: so few colours change the picture. Measured: 8 to 14 bits."""
    data = encode(_PHOTO.quantize(16), "PNG")
    assert _bits(decode(data, LIMITS).pixels, np.asarray(_PHOTO)) <= 16


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "I;16", "I;16B", "F"])
def test_a_grey_picture_stays_grey(mode, encode):
    pixels = decode(encode(_MODES[mode], "TIFF"), LIMITS).pixels
    assert pixels.ndim == 2
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["L", "P"])
def test_png_samples_of_few_bits_are_spread(kind, depth, encode):
    steps = 2**depth
    indices = np.tile(np.arange(steps, dtype=np.uint8), (8, 8))
    picture = Image.fromarray(indices)
    if kind == "P":
        picture = picture.convert("P")
        picture.putpalette([value for n in range(steps) for value in (n, 255 - n, 7)])
        made = decode(encode(picture, "PNG", bits=depth), LIMITS).pixels
        assert np.array_equal(made[0, :steps, 0], np.arange(steps))
        assert np.array_equal(made[0, :steps, 1], 255 - np.arange(steps))
        return
    made = decode(_grey_png(indices, depth), LIMITS).pixels
    assert np.array_equal(made[0, :steps], np.arange(steps) * 255 // (steps - 1))


def _grey_png(samples: np.ndarray, depth: int) -> bytes:
    from media import hostile

    height, width = samples.shape
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    packed = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    return hostile.png(width, height, depth=depth, rows=rows)


def test_a_transparent_grey_of_sixteen_bits_shows_white():
    from media import hostile

    samples = np.array([[0, 1000, 40_000, 40_001]], ">u2")
    key = hostile.chunk(b"tRNS", struct.pack(">H", 40_000))
    data = hostile.png(4, 1, key, depth=16, rows=b"\0" + samples.tobytes())
    assert decode(data, LIMITS).pixels.tolist() == [[0, 1000 >> 8, 255, 40_001 >> 8]]


def test_a_transparent_colour_of_sixteen_bits_does_no_harm(sandbox):
    from media import hostile

    samples = np.array([[[60_000, 0, 0], [0, 60_000, 0]]], ">u2")
    key = hostile.chunk(b"tRNS", struct.pack(">HHH", 60_000, 0, 0))
    data = hostile.png(2, 1, key, depth=16, colour=2, rows=b"\0" + samples.tobytes())
    facts, _ = sandbox.run("picture", data)
    assert (facts["width"], facts["height"]) == (2, 1)
    assert decode(data, LIMITS).pixels[0, 1].tolist() == [0, 234, 0]


def test_premultiplied_alpha_is_undone():
    straight = Image.new("RGBA", (4, 4), (200, 100, 40, 128))
    assert np.abs(to_pixels(straight.convert("RGBa")).astype(int) - to_pixels(straight)).max() <= 1


def test_a_palette_with_shades_of_transparency_lies_over_white(encode):
    picture = Image.new("P", (3, 1))
    picture.putpalette([0, 0, 0] * 3)
    picture.putdata([0, 1, 2])
    made = decode(encode(picture, "PNG", transparency=bytes((0, 128, 255))), LIMITS).pixels
    assert made[0, :, 0].tolist() == [255, 127, 0]


def test_numbers_that_are_none_are_black_and_the_infinite_white():
    samples = np.array([[np.nan, np.inf, -np.inf, 0.5, 1.0]], np.float32)
    assert to_pixels(Image.fromarray(samples)).tolist() == [[0, 255, 0, 128, 255]]


def _profile(space: bytes, tables: bytes) -> bytes:
    """An ICC output profile of version 2 with one A2B0 table (ICC.1:2001-04)."""
    tags = [
        (b"A2B0", tables),
        (b"desc", _description(b"a press")),
        (b"cprt", b"text\0\0\0\0none\0"),
    ]
    tags.append((b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)))
    place, directory, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, unpadded in tags:
        content = unpadded + bytes(-len(unpadded) % 4)
        directory += name + struct.pack(">II", place + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s", place + len(body), b"none", 0x02400000, b"prtr", space, b"Lab "
    )
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + directory + body


def _description(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(78)


def _ink_table() -> bytes:
    """CMYK to Lab in which any cyan is as dark as black ink: the table of a press gone wrong."""
    line = bytes(range(256))
    grid = b""
    for corner in range(16):
        cyan, black = corner >> 3 & 1, corner & 1
        grid += bytes((0 if cyan or black else 255, 128, 128))
    unit_matrix = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    return b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unit_matrix + line * 4 + grid + line * 3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_profile_for_cmyk_is_applied(kind, encode):
    ink = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    ink.paste((0, 255, 0, 0), (8, 0, 16, 16))
    plain = decode(encode(ink, kind), LIMITS).pixels.astype(int)
    made = decode(encode(ink, kind, icc_profile=_profile(b"CMYK", _ink_table())), LIMITS).pixels
    assert plain[8, 2].max() > 200  # cyan
    assert made[8, 2].max() < 20  # as dark as the profile says
    assert made[8, 13].min() > 235  # magenta, which the profile knows as paper


def test_a_profile_for_other_channels_is_no_profile(encode, drawing):
    data = encode(drawing, "PNG", icc_profile=_profile(b"CMYK", _ink_table()))
    assert np.array_equal(decode(data, LIMITS).pixels, np.asarray(drawing))


@pytest.mark.parametrize("length", [1, 100, 128, 131, 200, 400])
def test_a_profile_that_is_cut_off_changes_nothing(length, sandbox, encode, drawing):
    profile = ImageCms.ImageCmsProfile(_SRGB).tobytes().replace(b"\0s\0R\0G\0B", b"\0o\0d\0d\0!")
    data = encode(drawing, "PNG", icc_profile=profile[:length])
    assert np.array_equal(decode(data, LIMITS).pixels, np.asarray(drawing))
    assert sandbox.run("picture", data)[0]["format"] == "PNG"


def test_memory_stays_within_what_a_pixel_may_take(encode):
    """At the limits a worker has 16 bytes a pixel: the costliest modes must do with them."""
    mebibyte = 2**20
    limits = Limits(memory=(50 + 12 * 16) * mebibyte)  # the file, then the pixels
    with Sandbox(limits) as own:
        for mode, kind in (("CMYK", "TIFF"), ("RGBA", "TIFF"), ("F", "TIFF")):
            facts, _ = own.run("picture", encode(Image.new(mode, (4000, 3000)), kind))
            assert facts["width"] == 4000


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"]),
    st.tuples(st.integers(1, 600), st.integers(1, 40)),
    st.integers(0, 2**32 - 1),
)
def test_pixels_have_the_shape_of_the_picture(mode, size, seed):
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise)
    picture = Image.new("LAB", size) if mode == "LAB" else picture.convert("L").convert(mode)
    pixels = to_pixels(picture)
    assert pixels.shape[:2] == (height, width)
    assert pixels.shape[2:] in {(), (3,)}
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


_DEEP = {
    "u2": 257, "u4": 0x1010101, "u8": 0x101010101010101, "i2": 128, "i4": 1 << 23,
    "f2": 1 / 255, "f4": 1 / 255, "f8": 1 / 255,
}  # fmt: skip
#: The mode, TIFF's name of it, and which depths are promised.
_DEEP_MODES = {
    "RGB": ("rgb", _DEEP), "RGBA": ("rgb", _DEEP), "CMYK": ("separated", _DEEP),
    "L": ("minisblack", _DEEP), "LA": ("minisblack", _DEEP), "LAB": ("cielab", ["u2"]),
}  # fmt: skip


def _tiff(samples: np.ndarray, photometric: str, **options: object) -> bytes:
    held = io.BytesIO()
    tifffile.imwrite(held, samples, photometric=photometric, **options)
    return held.getvalue()


def _deep(mode: str, kind: str) -> np.ndarray:
    return (np.asarray(_MODES[mode]) * np.asarray(_DEEP[kind])).astype(kind)


@pytest.mark.parametrize("kind", _DEEP)
@pytest.mark.parametrize("mode", _DEEP_MODES)
def test_a_tiff_of_deep_samples_keeps_its_hash_however_they_lie(mode, kind):
    photometric, kinds = _DEEP_MODES[mode]
    if kind not in kinds:
        with pytest.raises(Undecodable, match=r"a TIFF of .* LAB samples .*no decoder here reads"):
            decode(_tiff(_deep(mode, kind), photometric), LIMITS)
        return
    layouts = [{}, {"compression": "zlib"}, {"tile": (80, 48)}, {"byteorder": ">"}]
    layouts.append({"compression": "zlib", "byteorder": ">", "rowsperstrip": 7})
    if kind[0] in "ui" and kind != "u8":
        layouts.append({"compression": "zlib", "predictor": True, "tile": (64, 64)})
    samples, first = _deep(mode, kind), None
    alpha = {"extrasamples": ["unassalpha"]} if mode in {"RGBA", "LA"} else {}
    for layout in layouts:
        written = {"contig": samples}
        if samples.ndim == 3:
            written["separate"] = samples.transpose(2, 0, 1).copy()
        for planes, lying in written.items():
            how = {"planarconfig": planes} if samples.ndim == 3 else {}
            decoded = decode(_tiff(lying, photometric, **layout, **how, **alpha), LIMITS)
            assert not decoded.truncated
            if first is None:
                first = decoded.pixels
                assert _bits(first, np.asarray(_PHOTO)) <= MOST_BITS
            assert np.array_equal(decoded.pixels, first), (layout, planes)


@pytest.mark.parametrize("kind", ["u2", "f4", "f8"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_deep_grey_whose_zero_is_white_is_not_a_negative(kind, compression):
    turned = ((255 - np.asarray(_MODES["L"])) * np.asarray(_DEEP[kind])).astype(kind)
    made = decode(_tiff(turned, "miniswhite", compression=compression), LIMITS).pixels
    assert _bits(made, np.asarray(_PHOTO)) <= 2


@pytest.mark.parametrize("mode", ["LA", "LAB"])
def test_planes_of_eight_bits_are_what_their_tags_say(mode):
    planes = np.asarray(_MODES[mode]).transpose(2, 0, 1).copy()
    extra = {"extrasamples": ["unassalpha"]} if mode == "LA" else {}
    made = decode(_tiff(planes, _DEEP_MODES[mode][0], planarconfig="separate", **extra), LIMITS)
    assert _bits(made.pixels, np.asarray(_PHOTO)) <= MOST_BITS


def test_floating_point_alpha_has_a_white_of_its_own():
    samples = np.full((16, 16, 4), 200, np.float32)
    samples[..., 3] = 1
    made = decode(_tiff(samples, "rgb", extrasamples=["unassalpha"]), LIMITS).pixels
    assert (made == 200).all()


def test_a_turn_is_kept_with_deep_samples():
    samples = np.zeros((20, 30, 3), np.float32)
    samples[:, :10] = 1
    made = decode(_tiff(samples, "rgb", extratags=[(274, 3, 1, 6, True)]), LIMITS).pixels
    assert made.shape == (30, 20, 3)
    assert made[:10].min() == 255
    assert made[10:].max() == 0
