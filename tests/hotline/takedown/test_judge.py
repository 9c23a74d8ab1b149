import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import TimedOut, Undecodable
from strandline.hashing import (
    MIN_QUALITY,
    Digests,
    FilmFacts,
    FilmHash,
    FrameHash,
    ImageHash,
    PictureFacts,
    Policy,
)
from strandline.hotline.reports.look import Outcome, SeenPicture, Sight
from strandline.hotline.reports.models import Availability
from strandline.hotline.takedown.judge import Confirmed, gone_since, judge, proved_gone

SHA = hashlib.sha256(b"confirmed").hexdigest()
PDQ = "f" * 64
CONFIRMED = Confirmed(frozenset({SHA}), (PDQ,))
HOSTS = frozenset({"host.example"})
PAGE = "http://host.example/page"


def picture(*, sha256="0" * 64, pdq="0" * 64, quality=100):
    image = ImageHash(
        format="PNG",
        width=9,
        height=9,
        truncated=False,
        digests=Digests(md5="0" * 32, sha1="0" * 40, sha256=sha256),
        pdq=pdq,
        quality=quality,
        pipeline="media-1",
    )
    return SeenPicture(f"{PAGE}/1.png", b"", PictureFacts(image, {}))


def film(*pdqs, sha256="0" * 64, truncated=False):
    found = FilmHash(
        kind="video",
        format="mov",
        codec="h264",
        width=9,
        height=9,
        duration=float(len(pdqs)),
        digests=Digests(md5="0" * 32, sha1="0" * 40, sha256=sha256),
        frames=tuple(FrameHash(pdq, 100, n, n + 1) for n, pdq in enumerate(pdqs)),
        pipeline="film-1",
        policy=Policy.EVERY_SECOND,
        truncated=truncated,
        samples=len(pdqs),
    )
    return SeenPicture(f"{PAGE}/1.mp4", b"", FilmFacts(found, {}), is_film=True)


def seen(*pictures, missed=(), dead=(), final_url=PAGE):
    return Sight(Outcome.SEEN, "a page", 200, final_url, "192.0.2.1", pictures, missed, dead)


def verdict(sight):
    return judge(sight, CONFIRMED, HOSTS).availability


def test_the_same_bytes_are_present():
    assert verdict(seen(picture(), picture(sha256=SHA))) == Availability.PRESENT


def test_a_re_encoded_copy_is_present_and_another_picture_is_not():
    within, beyond = "e" * 31 + "f" * 33, "e" * 32 + "f" * 32
    assert verdict(seen(picture(pdq=within))) == Availability.PRESENT
    assert verdict(seen(picture(pdq=beyond))) == Availability.REMOVED


FRAMES = ("c" * 64, "3" * 64)
CONFIRMED_FILM = Confirmed(frozenset({SHA}), (), FRAMES)


@pytest.mark.parametrize(
    ("picture", "availability"),
    [
        (film(sha256=SHA), Availability.PRESENT),
        (film("0" * 64, "3" * 60 + "1111"), Availability.PRESENT),
        (film("0" * 64), Availability.REMOVED),
        (film(), Availability.REMOVED),
        (film("0" * 64, truncated=True), Availability.INCONCLUSIVE),
        (film("3" * 64, truncated=True), Availability.PRESENT),
        (picture(pdq=FRAMES[0]), Availability.REMOVED),
    ],
    ids=["same bytes", "one frame", "another", "plain", "in part", "in part but found", "a still"],
)
def test_a_confirmed_film_is_present_where_one_of_its_frames_is(picture, availability):
    assert judge(seen(picture), CONFIRMED_FILM, HOSTS).availability == availability


def test_a_film_of_a_confirmed_picture_is_present():
    assert verdict(seen(film("0" * 64, PDQ))) == Availability.PRESENT


def test_a_picture_too_plain_to_fingerprint_is_not_taken_for_a_confirmed_one():
    plain = picture(pdq=PDQ, quality=MIN_QUALITY - 1)
    assert verdict(seen(plain)) == Availability.REMOVED


def test_a_confirmed_picture_on_another_host_has_moved_there():
    there = judge(seen(picture(sha256=SHA), final_url="http://new.example/page"), CONFIRMED, HOSTS)
    assert there.availability == Availability.MOVED
    assert there.moved_to == "http://new.example/page"


def test_another_host_without_the_picture_is_gone_not_moved():
    assert verdict(seen(picture(), final_url="http://new.example/")) == Availability.REMOVED


def test_a_page_whose_pictures_are_dead_links_is_gone():
    dead = ("status 404 http://host.example/1.png",)
    assert verdict(seen(missed=dead, dead=dead)) == Availability.REMOVED


@pytest.mark.parametrize("why", ["status 503", "timed-out", "status 403", "status 429"])
def test_a_picture_that_was_not_had_makes_the_look_inconclusive(why):
    missed = (f"{why} http://host.example/1.png", "status 404 http://host.example/2.png")
    assert verdict(seen(picture(), missed=missed, dead=missed[1:])) == Availability.INCONCLUSIVE


def test_a_picture_that_could_not_be_read_in_time_makes_the_look_inconclusive():
    slow = SeenPicture(PAGE, b"", None, TimedOut("too slow"))
    assert verdict(seen(slow)) == Availability.INCONCLUSIVE


def test_bytes_that_are_no_picture_hide_nothing():
    drawing = SeenPicture(PAGE, b"", None, Undecodable("no picture"))
    assert verdict(seen(drawing)) == Availability.REMOVED


pictures = st.builds(
    picture,
    sha256=st.sampled_from([SHA, "0" * 64]),
    pdq=st.sampled_from([PDQ, "0" * 64]),
    quality=st.integers(0, 100),
)
sights = st.builds(
    Sight,
    outcome=st.sampled_from(Outcome),
    reason=st.text(max_size=400),
    status=st.sampled_from([200, 404, 503]),
    final_url=st.sampled_from([PAGE, "http://new.example/", ""]),
    ip=st.none(),
    pictures=st.lists(pictures, max_size=4).map(tuple),
    missed=st.lists(st.just("timed-out x"), max_size=2).map(tuple),
)


@given(sights)
def test_what_could_not_be_seen_is_never_removed(sight):
    found = judge(sight, CONFIRMED, HOSTS)
    assert len(found.reason) <= 400
    if sight.outcome == Outcome.INCONCLUSIVE:
        assert found.availability == Availability.INCONCLUSIVE
    if found.availability == Availability.REMOVED:
        assert sight.outcome == Outcome.GONE or not sight.missed
    if found.availability == Availability.MOVED:
        assert found.moved_to == sight.final_url


@given(sights.filter(lambda sight: sight.outcome == Outcome.SEEN))
def test_a_confirmed_picture_is_never_overlooked(sight):
    there = any(p.facts.image.digests.sha256 == SHA for p in sight.pictures)
    if there:
        assert judge(sight, CONFIRMED, HOSTS).availability in {
            Availability.PRESENT,
            Availability.MOVED,
        }


START = datetime(2026, 3, 2, tzinfo=UTC)
APART = timedelta(hours=20)
histories = st.lists(
    st.tuples(
        st.sampled_from([Availability.PRESENT, Availability.REMOVED, Availability.INCONCLUSIVE]),
        st.integers(1, 30),
    ),
    max_size=12,
)


def newest_first(history):
    at, rows = START, []
    for availability, hours in history:
        at += timedelta(hours=hours)
        rows.append((availability, at))
    return rows[::-1]


@given(histories)
def test_removal_is_two_gone_looks_apart_with_nothing_but_inconclusive_between(history):
    rows = newest_first(history)
    run = []
    for availability, at in rows:
        if availability == Availability.PRESENT:
            break
        if availability == Availability.REMOVED:
            run.append(at)
    expected = len(run) >= 2 and max(run) - min(run) >= APART
    assert proved_gone(rows, APART) == expected
    assert gone_since(rows) == (min(run) if run else None)


@given(histories)
def test_inconclusive_looks_change_nothing(history):
    rows = newest_first(history)
    without = [row for row in rows if row[0] != Availability.INCONCLUSIVE]
    assert proved_gone(rows, APART) == proved_gone(without, APART)


def test_503_for_ever_is_never_removal():
    assert not proved_gone(newest_first([(Availability.INCONCLUSIVE, 24)] * 400), APART)
