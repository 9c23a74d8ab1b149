"""Memory for pixels is used again, but never while somebody still looks at it."""

from PIL import Image

from strandline.media import spare
from strandline.media.decoding import decode
from strandline.media.limits import Limits


def test_room_is_used_again_once_nobody_has_an_array_of_it() -> None:
    first = spare.room_for(1000)
    place = first.__array_interface__["data"][0]
    del first
    assert spare.room_for(500).__array_interface__["data"][0] == place


def test_room_that_is_still_looked_at_is_left_alone() -> None:
    first = spare.room_for(1000)
    first[:] = 7
    view = first.reshape(10, 100)[2:, ::2]
    del first
    spare.room_for(1000)[:] = 9
    assert (view == 7).all()


def test_a_second_jpeg_does_not_change_the_pixels_of_the_first(encode) -> None:
    first = decode(encode(Image.new("RGB", (60, 40), "white"), "JPEG"), Limits())
    copied = first.pixels.copy()
    second = decode(encode(Image.new("RGB", (60, 40), "black"), "JPEG"), Limits())
    assert (first.pixels == copied).all()
    assert (second.pixels == 0).all()


def test_room_beyond_the_most_that_is_kept_is_not_kept() -> None:
    before = spare._spare.room
    assert spare.room_for(spare.MOST + 1).size == spare.MOST + 1
    assert spare._spare.room is before
