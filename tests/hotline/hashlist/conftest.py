"""Items to list, and what it takes to publish them."""

import hashlib
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from strandline.hotline.config import Config


@dataclass
class Hands:
    """The part of a worker's tools that publishing uses."""

    config: Config


@pytest.fixture(autouse=True)
def _no_index_of_another_test(monkeypatch):
    from strandline.hotline.hashlist import near, recognition

    monkeypatch.setattr(recognition, "_index", near.NearIndex())


@pytest.fixture
def item(db, now):
    """``item(pdq="…")``: something seen somewhere, in no address."""
    from strandline.hotline.reports.models import MediaItem

    numbers = count(1)

    def add(*, pdq=None, quality=100, refusal=""):
        data = f"hashlist item {next(numbers)}".encode()
        return MediaItem.objects.create(
            sha256=hashlib.sha256(data).hexdigest(),
            sha1=hashlib.sha1(data).hexdigest(),
            md5=hashlib.md5(data).hexdigest(),
            pdq=hashlib.sha256(b"pdq" + data).hexdigest() if pdq is None else pdq,
            quality=quality,
            refusal=refusal,
            pipeline="media-1",
            size=1000,
            bytes_are=MediaItem.Bytes.DISCARDED,
            first_seen_at=now,
        )

    return add


@pytest.fixture
def listed(item, now, hotline):
    """``listed(3)`` lists three items; their entries."""
    from strandline.hotline.hashlist.services import add_entry

    def add(number=1, **facts):
        return [add_entry(item(**facts), category="A", by="test", now=now) for _ in range(number)]

    return add


@pytest.fixture
def hands(hotline):
    return Hands(hotline)


@pytest.fixture
def trusted(hotline, now):
    """The hotline with a root of trust for its list: alone, without witnesses."""
    from strandline.hotline.setup import make_list_root

    make_list_root(hotline, now=now)
    return hotline


@pytest.fixture
def work(trusted, monkeypatch):
    """``work(now)``: a worker does all of this room's work that is due."""
    from strandline.hotline.hashlist.models import Cosigning, Publication, Release
    from strandline.hotline.hashlist.publishing import publish
    from strandline.hotline.hashlist.releasing import release
    from strandline.hotline.hashlist.witnesses import cosign
    from strandline.hotline.jobs import due

    kinds = ((Publication, publish), (Release, release), (Cosigning, cosign))

    def do(now):
        from django.conf import settings

        done = 0
        hands = Hands(settings.HOTLINE)
        while claimed := next(
            ((row, handle) for kind, handle in kinds
             if (row := due.claim(kind, worker="w", now=now))), None
        ):  # fmt: skip
            row, handle = claimed
            try:
                handle(row, hands, now)
            except Exception as error:  # noqa: BLE001 - as the worker does
                due.fail(row, f"{type(error).__name__}: {error}", now=now)
            done += 1
            assert done < 50, "work that never ends"
        return done

    return do


@pytest.fixture
def publish(work):
    """``publish(now)`` publishes what changed; the newest edition."""
    from strandline.hotline.hashlist.models import Edition
    from strandline.hotline.hashlist.scheduling import publish_now

    def do(now):
        publish_now(knowingly=True, by="test", now=now)
        work(now)
        return Edition.objects.last()

    return do


@pytest.fixture
def published(hotline):
    """Every published file by name, without what a writer left behind."""

    def read():
        root = Path(hotline.published)
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    return read
