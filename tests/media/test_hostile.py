"""Every hostile file gets its verdict, within the limits, and leaves the worker alive."""

import contextlib
import zlib

import pytest

from media import hostile
from strandline.media import MediaRefused, Undecodable


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_hostile_file_gets_its_verdict_and_never_ends_the_worker(name, sandbox):
    make, wanted = hostile.FILES[name]
    data = make()
    verdict, told = "decoded", ""
    try:
        sandbox.run("picture", data)
    except MediaRefused as refused:
        verdict, told = refused.verdict, refused.message
    assert verdict == wanted
    assert "crashed" not in told


@pytest.mark.parametrize("name", hostile.CRASHES)
def test_a_decoder_that_crashes_costs_its_own_file_only(name, sandbox, encode, drawing):
    with contextlib.suppress(Undecodable):  # a later decoder may well read it
        sandbox.run("picture", hostile.CRASHES[name]())
    facts, _ = sandbox.run("picture", encode(drawing, "PNG"))
    assert (facts["width"], facts["height"]) == drawing.size


def test_the_bombs_are_bombs():
    body = hostile.png_compressed_text_bomb(3)
    start = body.index(b"Comment\x00\x00") + 9
    assert len(zlib.decompress(body[start:])) == 3 * 2**20
    assert len(body) < 2**13
