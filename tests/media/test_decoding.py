import contextlib
import io

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageChops, ImageCms, TiffImagePlugin

from media import hostile
from strandline.errors import TooLarge, Undecodable
from strandline.media import Limits, Sandbox
from strandline.media.decoding import decode

LIMITS = Limits()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(decode(data, LIMITS).image.convert("RGB"))


def same(data: bytes, wanted: Image.Image) -> bool:
    return np.array_equal(pixels(data), np.asarray(wanted.convert("RGB")))


def mean_difference(data: bytes, wanted: Image.Image) -> float:
    made = pixels(data).astype(int)
    return float(np.abs(made - np.asarray(wanted.convert("RGB")).astype(int)).mean())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "WEBP", "JPEG2000"])
def test_lossless_formats_give_the_pixels_that_were_stored(kind, encode, drawing):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(drawing, kind, **options)
    assert decode(data, LIMITS).format == kind
    assert same(data, drawing)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF", "ICO", "TIFF", "JPEG2000", "DIB"])
def test_every_format_decodes_inside_the_locked_worker(kind, sandbox, encode, drawing):
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    square = drawing.resize((128, 128))
    facts, _ = sandbox.run("picture", encode(square, kind, **options))
    assert (facts["format"], facts["width"], facts["height"]) == (kind, 128, 128)
    assert not facts["truncated"]


def test_a_palette_is_looked_up(encode, drawing):
    palette = drawing.quantize(16)
    assert same(encode(palette, "PNG"), palette)


def test_a_bilevel_picture_is_black_and_white(encode, drawing):
    bilevel = drawing.convert("1")
    assert same(encode(bilevel, "PNG"), bilevel)
    assert set(np.unique(pixels(encode(bilevel, "TIFF")))) == {0, 255}


def test_cmyk_shows_the_colours_it_prints(encode, drawing):
    assert mean_difference(encode(drawing.convert("CMYK"), "TIFF"), drawing) < 1
    assert mean_difference(encode(drawing.convert("CMYK"), "JPEG", quality=95), drawing) < 4


def test_sixteen_bit_samples_keep_their_high_byte(encode, drawing):
    grey = np.asarray(drawing.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 256 + 77)
    for kind in ("PNG", "TIFF"):
        assert same(encode(deep, kind), Image.fromarray(grey))


def test_a_float_picture_is_read_as_zero_to_one(encode, drawing):
    grey = np.asarray(drawing.convert("L"))
    scaled = Image.fromarray(grey.astype(np.float32) / 255)
    assert same(encode(scaled, "TIFF"), Image.fromarray(grey))


def test_a_float_picture_without_numbers_is_black(encode):
    nothing = Image.fromarray(np.full((5, 5), np.nan, np.float32))
    assert not pixels(encode(nothing, "TIFF")).any()


def test_lab_is_converted_to_srgb(encode, drawing):
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(drawing, to_lab)
    assert mean_difference(encode(lab, "TIFF"), drawing) < 2


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_white(mode, encode, drawing):
    see_through = drawing.convert(mode)
    see_through.putalpha(Image.linear_gradient("L").resize(drawing.size))
    made = pixels(encode(see_through, "PNG")).astype(int)
    assert (made[0] == 255).all()
    solid = np.asarray(drawing.convert(mode).convert("RGB")).astype(int)
    assert np.abs(made[-1] - solid[-1]).max() <= 3


def test_a_transparent_colour_shows_white(encode):
    picture = Image.new("RGB", (20, 10), (10, 200, 30))
    picture.paste((200, 10, 30), (0, 0, 10, 10))
    made = pixels(encode(picture, "PNG", transparency=(10, 200, 30)))
    assert tuple(made[5, 15]) == (255, 255, 255)
    assert tuple(made[5, 5]) == (200, 10, 30)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_shown_upright(kind, orientation, encode, drawing):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = drawing.transpose(turns[orientation]) if orientation in turns else drawing
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    if kind == "TIFF":
        options = {"tiffinfo": TiffImagePlugin.ImageFileDirectory_v2()}
        options["tiffinfo"][0x0112] = orientation
    else:
        options["exif"] = exif
    data = encode(stored, kind, **options)
    assert decode(data, LIMITS).image.size == drawing.size
    assert mean_difference(data, drawing) < (3 if kind == "JPEG" else 0.01)


def test_a_broken_exif_leaves_the_picture_as_stored(sandbox, encode, drawing):
    data = encode(drawing, "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff" + b"\xff" * 40)
    facts, _ = sandbox.run("picture", data)
    assert (facts["width"], facts["height"]) == drawing.size


def _red_and_green_swapped() -> bytes:
    """A colour profile in which the red channel means green, and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return swapped.replace(b"\0s\0R\0G\0B", b"\0o\0d\0d\0!")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_an_embedded_colour_profile_is_applied(kind, encode):
    red = Image.new("RGB", (32, 32), (250, 10, 10))
    r, g, b = pixels(encode(red, kind, icc_profile=_red_and_green_swapped()))[16, 16]
    assert g > 200
    assert r < 60
    assert b < 60


def test_an_srgb_profile_changes_nothing(encode, drawing):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert same(encode(drawing, "PNG", icc_profile=profile), drawing)


def test_a_profile_that_cannot_be_read_changes_nothing(encode, drawing):
    assert same(encode(drawing, "PNG", icc_profile=b"not a profile" * 20), drawing)


def test_metadata_is_left_behind(encode, drawing):
    exif = Image.Exif()
    exif[0x010E] = "a place and a name"
    decoded = decode(encode(drawing, "JPEG", exif=exif, comment=b"a comment"), LIMITS)
    assert decoded.image.info == {}
    assert dict(decoded.image.getexif()) == {}


def test_an_animation_gives_its_first_frame(encode, drawing):
    second = ImageChops.invert(drawing)
    data = encode(drawing, "WEBP", save_all=True, append_images=[second], lossless=True)
    decoded = decode(data, LIMITS)
    assert decoded.frames == 2
    assert np.array_equal(np.asarray(decoded.image), np.asarray(drawing))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_decoded_as_far_as_it_goes_and_marked(kind, sandbox, encode):
    noise = Image.effect_noise((400, 400), 80).convert("RGB")
    whole = encode(noise, kind)
    cut = whole[: len(whole) // 2]
    decoded = decode(cut, LIMITS)
    assert decoded.truncated
    top, expected = np.asarray(decoded.image)[:150], pixels(whole)[:150]
    assert np.array_equal(top, expected)
    assert sandbox.run("picture", cut)[0]["truncated"] is True
    assert sandbox.run("picture", whole)[0]["truncated"] is False


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 5000,
        b"not a picture at all",
        bytes(range(256)) * 40,
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        b"GIF89a" + b"\xff" * 100,
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\xff" * 100,
        b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
    ],
)
def test_junk_is_undecodable(data, sandbox):
    with pytest.raises(Undecodable) as refused:
        sandbox.run("picture", data)
    assert refused.value.verdict == "undecodable"
    assert " at 0x" not in refused.value.message


def test_damaged_files_get_a_verdict_and_never_end_the_worker(encode, drawing):
    draw = np.random.default_rng(1)
    files = [encode(drawing, kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF")]
    with Sandbox() as own:  # a shared one may be replaced when its worker has done its jobs
        own.run("picture", files[0])
        first = own.pid
        for number in range(120):
            damaged = bytearray(files[number % len(files)])
            for place in draw.integers(0, len(damaged), 1 + number // 6):
                damaged[place] = draw.integers(0, 256)
            with contextlib.suppress(Undecodable, TooLarge):
                own.run("picture", bytes(damaged))
            if number % len(files) == len(files) - 1:
                # A worker reads nothing after an AVIF: that it goes is no crash.
                own.run("picture", files[0])
                first = own.pid
            assert own.pid == first


@pytest.mark.parametrize("size", [(60_000, 60_000), (100_000, 10), (9_000, 9_000)])
def test_a_decompression_bomb_is_refused_by_its_claim(size, sandbox):
    with pytest.raises(TooLarge, match="not decoded") as refused:
        sandbox.run("picture", hostile.png(*size))
    assert refused.value.verdict == "too-large"


def test_a_picture_over_its_own_limit_is_refused(encode, drawing):
    with pytest.raises(TooLarge, match="240 by 160"):
        decode(encode(drawing, "PNG"), Limits(pixels=1000))


def test_an_icon_larger_than_it_claims_is_refused(encode):
    icon = bytearray(encode(Image.new("RGB", (256, 256)), "ICO", sizes=[(256, 256)]))
    icon[6:8] = b"\x10\x10"  # the directory says 16 by 16
    with Sandbox(Limits(pixels=1000)) as own, pytest.raises(TooLarge):
        own.run("picture", bytes(icon))


def test_a_text_bomb_in_a_png_is_not_unpacked(sandbox):
    facts, _ = sandbox.run("picture", hostile.png_compressed_text_bomb())
    assert facts["truncated"]  # the picture is shown, the text is not unpacked


def test_decoding_does_not_leave_pillow_forgiving(encode, drawing):
    cut = encode(drawing, "JPEG")[:900]
    assert decode(cut, LIMITS).truncated
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(cut)).load()


def tiff(samples: np.ndarray, photometric: str, **options: object) -> bytes:
    held = io.BytesIO()
    tifffile.imwrite(held, samples, photometric=photometric, **options)
    return held.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(Undecodable) as said:
        decode(data, LIMITS)
    return said.value.message


def test_a_tiff_no_decoder_reads_is_refused_by_what_it_is():
    lab = np.zeros((32, 32, 3), np.float32)
    assert "a TIFF of 32-bit floating-point LAB samples" in refused(tiff(lab, "cielab"))
    planes = np.zeros((3, 32, 32), np.uint8)
    raw = tiff(planes, "ycbcr", planarconfig="separate")
    assert "8-bit YCbCr samples in separate planes" in refused(raw)


@pytest.mark.parametrize("kind", ["i1", "i2"])
def test_signed_samples_below_zero_are_refused_because_nothing_says_what_is_black(kind):
    assert "signed samples below zero" in refused(tiff(np.full((32, 32), -5, kind), "minisblack"))


def test_a_grey_tiff_of_twelve_bits_is_refused_not_shown_as_black():
    whole = bytearray(tiff(np.zeros((32, 32), np.uint16), "minisblack"))
    place = whole.index(b"\x02\x01\x03\x00")  # BitsPerSample, one SHORT
    whole[place + 8] = 12
    assert "12-bit grey" in refused(bytes(whole))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_deep_samples_that_end_too_early_are_shown_as_far_as_they_go(compression, sandbox):
    noise = np.random.default_rng(3).random((200, 200, 3)).astype(np.float32)
    whole = tiff(noise, "rgb", compression=compression, rowsperstrip=10)
    cut = whole[: len(whole) * 2 // 3]
    decoded = decode(cut, LIMITS)
    assert decoded.truncated
    assert np.array_equal(decoded.pixels[:100], pixels(whole)[:100])
    assert sandbox.run("picture", cut)[0]["truncated"] is True


def test_damaged_deep_tiffs_get_a_verdict(sandbox):
    draw = np.random.default_rng(5)
    planes = draw.random((3, 40, 40))
    for number in range(60):
        how = {"compression": "zlib"} if number % 2 else {"tile": (16, 16)}
        damaged = bytearray(tiff(planes, "rgb", planarconfig="separate", **how))
        for place in draw.integers(0, 400, 1 + number // 10):
            damaged[place] = draw.integers(0, 256)
        with contextlib.suppress(Undecodable, TooLarge):
            sandbox.run("picture", bytes(damaged))


def test_a_deep_tiff_is_refused_by_its_claim_before_it_is_unpacked():
    whole = tiff(np.zeros((100, 100, 3), np.float32), "rgb", compression="zlib")
    with pytest.raises(TooLarge, match="100 by 100"):
        decode(whole, Limits(pixels=5000))
