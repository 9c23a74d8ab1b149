"""One examiner for the tests of this room, and scikit-image's photographs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import skimage

from strandline.hashing import Examiner


@pytest.fixture(scope="session")
def examiner() -> Iterator[Examiner]:
    with Examiner() as shared:
        yield shared


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], bytes]:
    folder = Path(skimage.__file__).parent / "data"
    return lambda name: (folder / name).read_bytes()
