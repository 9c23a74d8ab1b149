"""One examiner for the tests of this room, and scikit-image's photographs."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from strandline.hashing import Examiner


@pytest.fixture(scope="session")
def examiner() -> Iterator[Examiner]:
    with Examiner() as shared:
        yield shared


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], bytes]:
    folder = Path(skimage.__file__).parent / "data"
    return lambda name: (folder / name).read_bytes()


#: Of several kinds: portrait, food, animal, sky, street, stars, medical, stones.
_NAMES = (
    "astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png",
    "hubble_deep_field.jpg", "ihc.png", "brick.png",
)  # fmt: skip


@pytest.fixture(scope="session")
def photographs(photograph) -> Mapping[str, np.ndarray]:
    """Photographs as RGB arrays, by name."""
    return {
        name: np.array(Image.open(io.BytesIO(photograph(name))).convert("RGB")) for name in _NAMES
    }
