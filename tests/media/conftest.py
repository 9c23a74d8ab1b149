"""Pictures drawn for these tests, and one sandbox for those that do not break it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from strandline.media import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


@pytest.fixture(scope="session")
def drawing() -> Image.Image:
    """An RGB picture, 240 by 160, that no rotation or mirroring leaves as it is."""
    picture = Image.new("RGB", (240, 160), (250, 240, 220))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((10, 10, 110, 60), fill=(200, 30, 40))
    pen.ellipse((130, 70, 230, 150), fill=(20, 90, 180))
    pen.polygon([(20, 150), (60, 80), (100, 150)], fill=(30, 150, 60))
    return picture


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    def encode(image: Image.Image, kind: str, **options: object) -> bytes:
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return encode


@pytest.fixture(scope="session")
def heic() -> Callable[[str], bytes]:
    """Files of ``data/``, by name."""
    return lambda name: (Path(__file__).parent / "data" / f"{name}.heic").read_bytes()
