"""Sights for looks that need no server."""

from strandline.hashing import Digests, ImageHash, PictureFacts
from strandline.hotline.reports.look import Outcome, SeenPicture, Sight

GONE = Sight(Outcome.GONE, "status 404", 404, "http://host.example/", "192.0.2.1")
BUSY = Sight(Outcome.INCONCLUSIVE, "status 503", 503, "http://host.example/", "192.0.2.1")


def present(address, *, final_url=""):
    """The page with the pictures the record has of it."""
    return Sight(
        Outcome.SEEN,
        "1 of 1 pictures",
        200,
        final_url or address.url,
        "192.0.2.1",
        tuple(_picture(row.item) for row in address.appearances.all()),
    )


def elsewhere(url):
    """The same, after a redirect."""
    return lambda address: present(address, final_url=url)


def _picture(item):
    image = ImageHash(
        format=item.format,
        width=item.width,
        height=item.height,
        truncated=False,
        digests=Digests(md5=item.md5, sha1=item.sha1, sha256=item.sha256),
        pdq=item.pdq,
        quality=item.quality,
        pipeline=item.pipeline,
    )
    return SeenPicture("http://host.example/1.png", b"", PictureFacts(image, {}))
