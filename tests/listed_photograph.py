"""A member whose copy of the list holds one real photograph, as entry-50."""

import io

import pytest
from PIL import Image


def jpeg(image, quality=90):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture(scope="session")
def photographs():
    """Two different photographs."""
    import skimage.data

    return [Image.fromarray(getattr(skimage.data, name)()) for name in ("astronaut", "coffee")]


def as_listed(photograph, number=50):
    """The fingerprints of a photograph, as a list holds them."""
    from list_publisher import fingerprints
    from strandline.hashing import digests, hash_image

    data = jpeg(photograph)
    known, image = digests(data), hash_image(data)
    return fingerprints(
        number, sha256=known.sha256, sha1=known.sha1, md5=known.md5, pdq=image.pdq, quality=100
    )


@pytest.fixture
def holding(member, photographs):
    """The member, after an edition that lists the first photograph as entry-50."""
    book = member.published.book
    member.published.publish(book.add(50, told=as_listed(photographs[0])))
    member.sync()
    return member
