"""Every hostile file gets its verdict, within the limits, and leaves the worker alive."""

import zlib

import pytest

from media import hostile
from strandline.media import MediaRefused


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


def test_the_bombs_are_bombs():
    body = hostile.png_compressed_text_bomb(3)
    start = body.index(b"Comment\x00\x00") + 9
    assert len(zlib.decompress(body[start:])) == 3 * 2**20
    assert len(body) < 2**13
