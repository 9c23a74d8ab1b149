"""JPEG by libjpeg-turbo gives what Pillow gives; its luma at a fraction is the picture's own."""

import io
import math

import numpy as np
import pytest
import simplejpeg
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

from strandline.errors import TooLarge
from strandline.media import Limits, jpeg, opening
from strandline.media.decoding import decode, decode_scaled

LIMITS = Limits()
_PHOTO = skimage.data.astronaut()


def _by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _fast(data: bytes) -> np.ndarray | None:
    opened = opening.opened(data, LIMITS)
    assert jpeg.is_plain(opened)
    return jpeg.pixels_of(opened, data)


def _crop(width: int, height: int, *, noise: bool) -> np.ndarray:
    draw = np.random.default_rng(width * 1000 + height)
    if noise:
        return draw.integers(0, 256, (height, width, 3), np.uint8)
    left, top = draw.integers(0, 512 - width), draw.integers(0, 512 - height)
    return np.ascontiguousarray(_PHOTO[top : top + height, left : left + width])


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.booleans(),
    st.sampled_from(["RGB", "L"]),
    st.fixed_dictionaries(
        {
            "quality": st.integers(1, 100),
            "subsampling": st.integers(0, 2),
            "progressive": st.booleans(),
            "restart_marker_blocks": st.sampled_from([0, 1, 3, 8]),
        }
    ),
)
def test_a_plain_jpeg_has_exactly_pillows_pixels(width, height, noise, mode, options):
    picture = Image.fromarray(_crop(width, height, noise=noise)).convert(mode)
    out = io.BytesIO()
    try:
        picture.save(out, "JPEG", **options)
    except OSError:
        return  # Pillow's buffer is too small for this one
    made = _fast(out.getvalue())
    assert made is not None
    assert np.array_equal(made, _by_pillow(out.getvalue()))


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (16, 16), (33, 17), (250, 131)])
def test_every_subsampling_has_exactly_pillows_pixels(subsampling, size):
    data = simplejpeg.encode_jpeg(_crop(*size, noise=False), colorsubsampling=subsampling)
    made = _fast(data)
    assert made is not None
    assert np.array_equal(made, _by_pillow(data))


def test_a_jpeg_that_stores_rgb_has_exactly_pillows_pixels(encode):
    data = encode(Image.fromarray(_PHOTO), "JPEG", keep_rgb=True)
    assert np.array_equal(decode(data, LIMITS).pixels, _by_pillow(data))


def test_what_follows_the_picture_changes_nothing(encode):
    data = encode(Image.fromarray(_PHOTO), "JPEG")
    with_more = decode(data + b"more" * 5000, LIMITS)
    assert not with_more.truncated
    assert np.array_equal(with_more.pixels, decode(data, LIMITS).pixels)


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_cmyk_and_other_profiles_are_left_to_pillow(mode, encode, drawing):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"\0s\0R\0G\0B", b"\0o\0d\0d\0!")
    data = encode(drawing.convert(mode), "JPEG", icc_profile=profile if mode == "RGB" else None)
    assert not jpeg.is_plain(opening.opened(data, LIMITS))
    assert decode_scaled(data, LIMITS) is None


def test_an_srgb_profile_leaves_it_plain(encode, drawing):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert jpeg.is_plain(opening.opened(encode(drawing, "JPEG", icc_profile=profile), LIMITS))


def test_a_view_is_decoded_like_the_bytes(encode):
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"):
        data = encode(Image.fromarray(_PHOTO[:100, :200]), kind)
        around = b"before" + data + b"after"
        view = memoryview(around)[6:-5]
        assert np.array_equal(decode(view, LIMITS).pixels, decode(data, LIMITS).pixels)


def test_further_pictures_of_a_camera_are_no_animation(encode, drawing):
    data = encode(drawing, "MPO", save_all=True, append_images=[drawing.rotate(180)])
    decoded = decode(data, LIMITS)
    assert (decoded.format, decoded.frames) == ("JPEG", 1)
    assert np.array_equal(decoded.pixels, decode(encode(drawing, "JPEG"), LIMITS).pixels)


# The luma at a fraction


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.sampled_from([16, 64, 100, 512]),
    st.sampled_from(["RGB", "L"]),
    st.integers(1, 8),
)
def test_the_size_is_the_originals_divided_and_rounded_up(width, height, side, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(_PHOTO).convert(mode).resize((width, height)).save(out, "JPEG", exif=exif)
    scaled = decode_scaled(out.getvalue(), LIMITS, short_side=side)
    assert scaled is not None
    shown = (height, width) if orientation >= 5 else (width, height)
    assert (scaled.width, scaled.height) == shown
    assert scaled.luma.shape == (
        math.ceil(scaled.height / scaled.factor),
        math.ceil(scaled.width / scaled.factor),
    )
    assert scaled.luma.dtype == np.uint8
    assert scaled.luma.flags.c_contiguous
    assert scaled.factor in {1, 2, 4, 8}
    assert scaled.factor == 1 or min(scaled.luma.shape) >= side
    assert scaled.factor == 8 or math.ceil(min(width, height) / (2 * scaled.factor)) < side


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("side", [60, 120, 500])
def test_it_shows_the_picture_upright(orientation, side, encode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(_PHOTO[:480, :500]), "JPEG", quality=95, exif=exif)
    whole = Image.fromarray(decode(data, LIMITS).pixels).convert("L")
    scaled = decode_scaled(data, LIMITS, short_side=side)
    assert scaled is not None
    assert (scaled.width, scaled.height) == whole.size
    before = np.pad(np.asarray(whole), ((scaled.top, 0), (scaled.left, 0)), mode="edge")
    wanted = Image.fromarray(before).reduce(scaled.factor)
    difference = np.abs(np.asarray(wanted).astype(int) - scaled.luma)
    assert difference.mean() < 1.5
    assert max(scaled.top, scaled.left) < scaled.factor


def test_a_grey_jpeg_at_full_size_is_its_pixels(encode):
    data = encode(Image.fromarray(_PHOTO).convert("L"), "JPEG")
    scaled = decode_scaled(data, LIMITS, short_side=512)
    assert scaled is not None
    assert np.array_equal(scaled.luma, decode(data, LIMITS).pixels)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_other_formats_have_no_faster_way(kind, encode, drawing):
    assert decode_scaled(encode(drawing, kind), LIMITS) is None


def test_a_jpeg_that_stores_rgb_has_no_luma_to_take(encode, drawing):
    assert decode_scaled(encode(drawing, "JPEG", keep_rgb=True), LIMITS) is None


@pytest.mark.parametrize("share", [5, 50, 95])
def test_what_is_cut_off_has_no_faster_way(share, encode):
    data = encode(Image.fromarray(_PHOTO), "JPEG")
    assert decode_scaled(data[: len(data) * share // 100], LIMITS) is None


def test_junk_has_no_faster_way():
    assert decode_scaled(b"\xff\xd8\xff" + bytes(100), LIMITS) is None
    assert decode_scaled(b"", LIMITS) is None


def test_too_large_is_said_at_once(encode, drawing):
    with pytest.raises(TooLarge, match="240 by 160"):
        decode_scaled(encode(drawing, "JPEG"), Limits(pixels=1000))


def test_a_jpeg_in_a_tiff_is_a_tiff(encode, drawing):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    data = encode(drawing, "TIFF", compression="jpeg", tiffinfo=info)
    assert decode(data, LIMITS).format == "TIFF"
    assert decode_scaled(data, LIMITS) is None
