"""Innocent pictures at a member: the note comes with a sync, and hides likenesses, never bytes."""

import os
import shutil

import pytest
from PIL import Image
from skimage import data as photographs

from killing import killed_before
from list_publisher import HOUR, Member, copied, fingerprints, signer
from strandline import lists
from strandline.errors import ListRefused
from strandline.hashing import Examiner, FilmHash, digests, hash_image
from strandline.hashing.film import Policy
from strandline.hashing.folding import FrameHash
from strandline.lists.member import innocent, membership
from strandline.lists.member.layout import Layout
from strandline.lists.published.classes import Column
from strandline.lists.published.events import Frame
from strandline.lists.published.innocent_note import InnocentNote, InnocentPicture

#: Kill before each step on the disk instead of some of them.
EVERY_KILL = bool(os.environ.get("STRANDLINE_EVERY_KILL"))
PDQ = "0123456789abcdef" * 4


def turned(bits, pdq=PDQ):
    """The hash with its last bits turned."""
    return f"{int(pdq, 16) ^ (2**bits - 1):064x}"


def noted(published, *pdqs, number=1, by=None, **changes):
    values = {"origin": published.policy.origin, "number": number, "issued": published.now}
    pictures = [InnocentPicture("logo", None, pdq) for pdq in pdqs]
    note = InnocentNote.of(**(values | changes), pictures=pictures)
    return (by or published.publisher).sign(note.text()).encode()


@pytest.fixture
def serve(published, list_site):
    """``serve(pdq, number=2)``: a note of innocent pictures is published."""

    def put(*pdqs, **changes):
        data = noted(published, *pdqs, **changes)
        list_site.answers["/innocent"] = (200, {}, data)
        return data

    return put


@pytest.fixture
def listing(member, published):
    """A copy that lists a picture as entry-20, a film as entry-21."""
    frames = tuple(Frame(n * 1000, 90, turned(120 + 30 * n)) for n in range(4))
    published.publish(
        published.book.add(20, told=fingerprints(20, pdq=PDQ)),
        published.book.add(21, told=fingerprints(21, pdq=None, quality=0, video=frames)),
    )
    member.sync()
    return member


def found(member, pdq):
    with lists.HashList.open(member.directory) as hashes:
        judged = hashes.judge(pdq=pdq)
        assert hashes.find(pdq=pdq) == judged.hits
        return [hit.name for hit in judged.hits], [each.hit.name for each in judged.aside]


def asked_film(*pdqs):
    frames = tuple(FrameHash(pdq, 100, float(n), n + 1.0) for n, pdq in enumerate(pdqs))
    return FilmHash(
        kind="video",
        format="mp4",
        codec="h264",
        width=64,
        height=64,
        duration=float(len(pdqs)),
        digests=digests(b""),
        frames=frames,
        pipeline="media-1",
        policy=Policy.EVERY_SECOND,
        truncated=False,
        samples=len(pdqs),
    )


# What is taken in


def test_a_publisher_without_a_note_is_no_problem(member):
    assert member.sync().innocent is None
    assert member.verify().innocent is None
    assert not (member.directory / "innocent").exists()


def test_a_note_is_held_and_verified_to_the_byte(listing, serve):
    data = serve(turned(40))
    assert listing.sync().innocent is None
    path = listing.directory / "innocent"
    assert path.read_bytes() == data
    assert listing.verify().innocent.number == 1
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ListRefused, match="innocent"):
            innocent.held_innocent(Layout(listing.directory), listing.published.policy)
    with pytest.raises(ListRefused, match="innocent"):
        listing.verify()
    path.unlink()
    with pytest.raises(ListRefused, match="innocent is missing"):
        listing.verify()
    listing.sync()
    assert listing.verify().innocent.number == 1


def test_an_older_note_that_was_signed_is_not_put_in_its_place(listing, serve):
    old = serve(turned(40))
    listing.sync()
    serve(turned(40), turned(50), number=2)
    listing.sync()
    (listing.directory / "innocent").write_bytes(old)
    with pytest.raises(ListRefused, match="is not as it was published"):
        listing.verify()


def test_a_note_with_lines_of_strangers_is_held_in_its_one_form(listing, serve, list_site):
    data = serve(turned(40))
    line = signer("stranger.example").sign("x\n").rpartition("\n\n")[2].encode()
    list_site.answers["/innocent"] = (200, {}, data + line)
    assert listing.sync().innocent is None
    assert (listing.directory / "innocent").read_bytes() == data


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": 1}, "older note of innocent pictures is being served, 1 in the place of 2"),
        ({"number": 2, "issued": -HOUR}, "signed under one number"),
        ({"number": 3, "origin": "other.example"}, "of another list"),
        ({"number": 3, "by": "thief.example"}, "No trusted key signed"),
        ({"number": 3, "issued": 2 * HOUR}, "ahead of this computer's clock"),
    ],
)
def test_a_note_that_does_not_hold_is_not_used_and_the_edition_applies(
    listing, serve, published, changes, reason
):
    held = serve(turned(40), number=2)
    listing.sync()
    published.publish(published.book.withdraw(4))
    if "issued" in changes:
        changes = changes | {"issued": published.now + changes["issued"]}
    if "by" in changes:
        changes = changes | {"by": signer(changes["by"])}
    serve(turned(10), **changes)
    synced = listing.sync()
    assert synced.manifest.edition == 5
    assert reason in synced.innocent
    assert synced.innocent.endswith("Note 2, which is held, stays in use.")
    assert (listing.directory / "innocent").read_bytes() == held
    listing.verify()


def test_a_note_that_is_too_long_or_cannot_be_had_keeps_the_one_held(listing, serve, list_site):
    serve(turned(40))
    listing.sync()
    for answer in ((200, {}, b"x" * 2**22), (500, {}, b"")):
        list_site.answers["/innocent"] = answer
        assert "Note 1, which is held, stays in use." in listing.sync().innocent
    del list_site.answers["/innocent"]
    assert listing.sync().innocent is None, "that it is not served any more is no problem"
    assert listing.verify().innocent.number == 1


def test_a_note_that_is_lost_and_not_served_again_is_told_once(listing, serve, list_site):
    serve(turned(40))
    listing.sync()
    del list_site.answers["/innocent"]
    (listing.directory / "innocent").write_bytes(b"rubbish")
    assert found(listing, turned(20)) == (["entry-20"], []), "rubbish hides nothing"
    assert "None is held." in listing.sync().innocent
    assert listing.sync().innocent is None
    assert listing.verify().innocent is None


def test_a_bundle_carries_it(listing, serve, tmp_path):
    serve(turned(40))
    listing.sync()
    bundle = tmp_path / "list.strandline"
    membership.bundle(listing.directory, bundle)
    other = Member(tmp_path / "other", listing.published, listing.site)
    other.init(bundle=bundle)
    other.sync(bundle=bundle)
    assert other.verify().innocent.number == 1


def test_a_kill_at_any_step_leaves_the_note_held_or_the_new_one_and_the_copy_verifies(
    listing, serve
):
    serve(turned(40))
    listing.sync()
    serve(turned(50), number=2)
    original, seen, step, killed = listing.directory, set(), 0, True
    while killed:
        step += 1 if EVERY_KILL else 11
        listing.directory = copied(original, f"killed-{step}")
        killed = killed_before(step, listing.directory, listing.sync)
        seen.add(listing.verify().innocent.number)
        assert listing.sync().innocent is None
        assert listing.verify().innocent.number == 2
        shutil.rmtree(listing.directory)
    assert seen == {1, 2}


# What it hides


def test_a_likeness_of_an_innocent_picture_is_set_aside(listing, serve):
    asked = turned(25)
    assert found(listing, asked) == (["entry-20"], [])
    serve(turned(40))
    listing.sync()
    assert found(listing, asked) == ([], ["entry-20"])
    assert found(listing, turned(8)) == (["entry-20"], []), "too far from the innocent one"


def test_an_open_list_sees_the_note_that_a_later_sync_brings(listing, serve):
    with lists.HashList.open(listing.directory) as hashes:
        assert hashes.find(pdq=turned(25))
        serve(turned(40))
        listing.sync()
        assert not hashes.find(pdq=turned(25))
        serve(number=2)
        listing.sync()
        assert hashes.find(pdq=turned(25))


def test_the_same_bytes_are_still_the_entry(listing, serve):
    serve(turned(40))
    listing.sync()
    with lists.HashList.open(listing.directory) as hashes:
        [hit] = hashes.find(sha256=fingerprints(20).sha256, pdq=turned(25))
        assert (hit.name, hit.column) == ("entry-20", Column.SHA256)


def test_nothing_of_an_entry_that_is_innocent_itself_is_hidden(listing, serve):
    serve(PDQ, turned(25))
    listing.sync()
    assert found(listing, turned(25)) == (["entry-20"], [])
    assert listing.verify().contested == (20,)


def test_an_innocent_frame_does_not_hide_the_others(listing, serve):
    """Its frames differ by 30 bits each: the first is within reach of the first two."""
    frames = [turned(120), turned(180)]
    with lists.HashList.open(listing.directory) as hashes:
        known = hashes.innocence.now()
        [whole] = known.film(hashes.state, asked_film(*frames), 10).hits
        assert (whole.name, whole.share) == ("entry-21", 1.0)
        serve(turned(120))
        listing.sync()
        judged = hashes.innocence.now().film(hashes.state, asked_film(*frames), 10)
        [hit] = judged.hits
        assert (hit.name, hit.share, judged.aside) == ("entry-21", 0.5, [])
        judged = hashes.innocence.now().film(hashes.state, asked_film(turned(120)), 10)
        assert judged.hits == []
        [aside] = judged.aside
        assert (aside.hit.name, aside.what, aside.distance) == ("entry-21", "logo", 0)


def test_a_film_of_which_most_frames_are_called_innocent_is_not_hidden(listing, serve):
    serve(*(turned(120 + 30 * n) for n in range(4)))
    listing.sync()
    with lists.HashList.open(listing.directory) as hashes:
        judged = hashes.innocence.now().film(hashes.state, asked_film(turned(120)), 10)
    assert [hit.name for hit in judged.hits] == ["entry-21"]
    assert listing.verify().contested == (21,)


def test_a_still_that_is_innocent_is_no_frame_of_a_film(listing, serve):
    assert found(listing, turned(120))[0] == ["entry-21"]
    serve(turned(120))
    listing.sync()
    assert found(listing, turned(120)) == ([], ["entry-21"])


def test_a_file_tells_what_was_set_aside(listing, serve, published, tmp_path):
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs.astronaut()).save(path)
    pdq = hash_image(path).pdq
    published.publish(published.book.add(30, told=fingerprints(30, pdq=turned(25, pdq))))
    listing.sync()
    with Examiner() as examiner, lists.HashList.open(listing.directory) as hashes:
        answer = hashes.recognise(path, examiner)
        assert ([hit.name for hit in answer.hits], answer.aside) == (["entry-30"], ())
        serve(f"{int(pdq, 16) ^ (2**16 - 1 << 64):064x}")
        listing.sync()
        answer = hashes.recognise(path, examiner)
    [aside] = answer.aside
    assert (answer.hits, aside.hit.name, aside.distance) == ((), "entry-30", 16)
