"""Films on the list: known copies are recognised, and members recognise the film and its stills."""

import numpy as np
import pytest
from PIL import Image

from drawn_films import shots, write
from reported_films import captured, reaching_loopback, served
from strandline import lists
from strandline.hashing import Examiner, digests, hash_film
from strandline.hotline.assessment.hints import hints_for
from strandline.hotline.assessment.models import Verdict
from strandline.hotline.assessment.signals import item_decided
from strandline.hotline.hashlist.classing import identity_of, make_class
from strandline.hotline.hashlist.models import Entry, NearHint
from strandline.hotline.hashlist.near import NearIndex
from strandline.hotline.hashlist.services import add_entry, withdraw
from strandline.hotline.reports.models import MediaItem
from strandline.hotline.reports.states import State
from strandline.lists.published.classes import Column
from strandline.lists.published.events import Frame, Kind

pytest.importorskip("av")
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def frames():
    return list(shots(6, size=(320, 240), noise=1))


@pytest.fixture(scope="module")
def films(tmp_path_factory, frames):
    """Paths of a drawn film, of a poor copy, of another film, and of a still of the first."""
    folder = tmp_path_factory.mktemp("films")
    smaller = [np.asarray(Image.fromarray(each).resize((240, 180))) for each in frames]
    Image.fromarray(frames[40]).save(folder / "still.jpg", quality=80)
    return {
        "film": write(folder / "film.mp4", frames),
        "copy": write(folder / "copy.mkv", smaller, options={"crf": "28"}),
        "other": write(folder / "other.mp4", shots(3, size=(160, 120), names=("rocket.jpg",))),
        "still": folder / "still.jpg",
    }


@pytest.fixture(scope="module")
def examiner():
    with Examiner() as examiner:
        yield examiner


@pytest.fixture
def site(settings, hotline):
    settings.HOTLINE = reaching_loopback(hotline)
    with served() as site:
        yield site


@pytest.fixture
def report(site, films, now, examiner):
    """``report("film")``: one of the files, reported by its address and captured."""

    def take(name):
        path = films[name]
        kind = "image/jpeg" if path.suffix == ".jpg" else "video/mp4"
        return captured(site.put(f"/{path.name}", kind, path.read_bytes()), now, examiner)

    return take


def item_at(address):
    return MediaItem.objects.get(appearances__address=address)


def decide(item, now):
    """A verdict as if two analysts had agreed."""
    verdict = Verdict.objects.create(
        item=item, category="B", baseline="baseline", law="uk-1", how="agreed", decided_at=now
    )
    item_decided.send(Verdict, item=item, verdict=verdict, now=now)


def test_a_film_decided_illegal_is_listed_with_its_frames(report, films, now):
    item = item_at(report("film"))
    decide(item, now)
    entry = Entry.objects.get()
    found = hash_film(films["film"])
    known = entry.fingerprint.value
    assert (entry.item, entry.fingerprint.kind) == (item, "video")
    assert known.sha256 == found.digests.sha256
    assert known.pdq is None
    assert known.video == tuple(
        Frame(round(frame.start * 1000), frame.quality, frame.pdq) for frame in found.frames
    )
    assert entry.fingerprint.pipeline == found.pipeline


def test_a_film_without_frames_is_listed_by_its_digests_alone(item, hotline):
    film = item(pdq="")
    MediaItem.objects.filter(pk=film.pk).update(kind=MediaItem.Kind.VIDEO)
    film.refresh_from_db()
    identity = identity_of(film, make_class("A"))
    assert (identity.kind, identity.fingerprints.video, identity.pipeline) == (Kind.VIDEO, (), "-")


def test_the_same_film_at_another_address_is_settled_without_a_look(
    report, site, films, now, examiner
):
    decide(item_at(report("film")), now)
    url = site.put("/again.mp4", "application/octet-stream", films["film"].read_bytes())
    again = captured(url, now, examiner)
    assert again.state == State.SECOND_ASSESSED
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("copy", "A frame of it looks like one of entry-1"),
        ("still", "Looks like a frame of entry-1"),
    ],
)
def test_what_looks_like_a_listed_film_is_hinted_at(name, said, report, now):
    decide(item_at(report("film")), now)
    row = report(name)
    assert row.state == State.CAPTURED, "a likeness never decides"
    item = item_at(row)
    (hint,) = NearHint.objects.filter(item=item)
    assert hint.distance <= 31
    assert [each.text for each in hints_for(item)] == [
        f"{said} (Category B): {hint.distance} of 256 bits differ."
    ]


def test_a_film_that_shows_a_listed_picture_is_hinted_at(report, now):
    decide(item_at(report("still")), now)
    item = item_at(report("film"))
    (hint,) = hints_for(item)
    assert hint.text.startswith("A frame of it looks like entry-1 (Category B): ")


def test_another_film_is_not_hinted_at(report, now):
    decide(item_at(report("film")), now)
    item = item_at(report("other"))
    assert hints_for(item) == []
    assert not NearHint.objects.exists()


def test_the_index_takes_a_films_frames_away_with_its_entry(report, now):
    item = item_at(report("film"))
    frames = [frame.pdq for frame in item.film.frames]
    index = NearIndex()
    assert index.query(*frames) == []
    entry = add_entry(item, category="A", by="test", now=now)
    (match,) = index.query(*frames)
    assert (match.id, match.distance) == (str(entry.number), 0)
    assert [match.id for match in index.query(frames[-1])] == [str(entry.number)]
    withdraw(entry, reason="mistake", by="test", now=now)
    assert index.query(*frames) == []


def test_a_member_recognises_the_film_a_copy_and_a_still(
    report, films, site, trusted, publish, now, tmp_path, examiner, settings
):
    """From the report to a member's own files, as published."""
    from strandline.hotline.hashlist.published import root_fingerprint

    settings.HOTLINE = reaching_loopback(trusted)
    decide(item_at(report("film")), now)
    edition = publish(now)
    assert (edition.number, edition.entries) == (1, 1)
    names = [path for path in trusted.published.rglob("*") if path.is_file()]
    assert any(path.suffix == ".video" for path in names)
    for path in names:
        name = path.relative_to(trusted.published)
        site.put(f"/lists/{name}", "application/octet-stream", path.read_bytes())
    folder = tmp_path / "member"
    lists.init(folder, site.url("/lists"), fingerprint=root_fingerprint())
    lists.sync(folder, now=now)
    with lists.HashList.open(folder) as held:
        found = {name: held.recognise(path, examiner).hits for name, path in films.items()}
    assert {name: [hit.column for hit in hits] for name, hits in found.items()} == {
        "film": [Column.SHA256],
        "copy": [Column.VIDEO],
        "still": [Column.VIDEO],
        "other": [],
    }
    assert found["film"][0].name == "entry-1"
    assert found["film"][0].entry_class == Entry.objects.get().entry_class


def test_the_record_holds_no_pixel_of_it(report, films):
    item = item_at(report("film"))
    told = b"".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in (item, item.film)
        for value in row.__dict__.values()
    )
    assert len(told) < 2000
    assert digests(films["film"].read_bytes()).sha256.encode() in told
