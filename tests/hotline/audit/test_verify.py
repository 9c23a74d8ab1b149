"""Somebody with full rights on the database changes the chain; verification names what is wrong."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strandline.errors import NoteRefused
from strandline.hotline.audit import chain, checkpoints
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.audit.verify import verify
from strandline.transparency import Signer

pytestmark = pytest.mark.django_db
ORIGIN = "hotline.example"


@pytest.fixture
def signer():
    return Signer.generate(f"{ORIGIN}/audit")


@pytest.fixture
def checkpoint(tmp_path, signer):
    """``checkpoint()`` signs the chain as it stands; all that were signed so far."""
    path = tmp_path / "elsewhere" / "checkpoints"

    def sign():
        checkpoints.write(path, origin=ORIGIN, signer=signer)
        return checkpoints.read(path, signer.verifier)

    sign.path = path
    return sign


def rewrite_from(sequence, sql):
    """Give an entry another actor and make every later hash fit again: a careful forger."""
    previous = None
    for entry in AuditEntry.objects.filter(sequence__gte=sequence):
        if entry.sequence == sequence:
            entry.actor = "person:666"
        else:
            entry.previous = previous
        previous = chain.digest(entry)
        sql(
            "UPDATE audit_auditentry SET actor = %s, previous = %s, hash = %s WHERE sequence = %s",
            entry.actor,
            entry.previous,
            previous,
            entry.sequence,
        )


def test_an_empty_chain_is_in_order():
    found = verify()
    assert (found.ok, found.entries, found.sequence) == (True, 0, None)


def test_an_untouched_chain_is_in_order(record, checkpoint):
    record(3)
    checkpoint()
    record(4)
    found = verify(checkpoint())
    assert (found.ok, found.entries, found.checkpoints) == (True, 7, 2)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "person:666"),
        ("action", "test.other"),
        ("subject", "address:666"),
        ("at", "2026-03-02 09:00:00.000001+00:00"),
        ("detail", json.dumps({"number": 666})),
        ("previous", "f" * 64),
        ("hash", "f" * 64),
    ],
)
def test_an_altered_entry_is_named_whatever_was_altered(column, value, record, drop_triggers, sql):
    record(6)
    drop_triggers()
    sql(f"UPDATE audit_auditentry SET {column} = %s WHERE sequence = 4", value)
    found = verify()
    assert (found.ok, found.sequence) == (False, 4)
    assert "Entry 4" in found.message


@pytest.mark.parametrize("missing", [1, 3])
def test_a_missing_entry_is_named(missing, record, drop_triggers, sql):
    record(5)
    drop_triggers()
    sql("DELETE FROM audit_auditentry WHERE sequence = %s", missing)
    found = verify()
    assert (found.ok, found.sequence) == (False, missing)
    assert f"Entry {missing} is missing" in found.message


def test_two_entries_that_changed_places_are_noticed(record, drop_triggers, sql):
    record(5)
    drop_triggers()
    for old, new in ((3, 103), (4, 3), (103, 4)):
        sql("UPDATE audit_auditentry SET sequence = %s WHERE sequence = %s", new, old)
    assert verify().sequence == 3


def test_a_tail_that_was_cut_off_shows_against_a_checkpoint(record, checkpoint, drop_triggers, sql):
    record(8)
    signed = checkpoint()
    drop_triggers()
    sql("DELETE FROM audit_auditentry WHERE sequence > 5")
    assert verify().ok, "a chain alone cannot show this: that is what checkpoints are for"
    found = verify(signed)
    assert (found.ok, found.sequence) == (False, 6)
    assert "cut off" in found.message
    assert "8 entries" in found.message


def test_a_chain_that_was_emptied_shows_against_a_checkpoint(
    record, checkpoint, drop_triggers, sql
):
    record(2)
    signed = checkpoint()
    drop_triggers()
    sql("DELETE FROM audit_auditentry")
    assert verify(signed).sequence == 1


def test_a_rewritten_chain_is_narrowed_down_to_between_two_checkpoints(
    record, checkpoint, drop_triggers, sql
):
    record(3)
    checkpoint()
    record(4)
    signed = checkpoint()
    drop_triggers()
    rewrite_from(5, sql)
    assert verify().ok
    found = verify(signed)
    assert (found.ok, found.sequence) == (False, 4)
    assert "after entry 3" in found.message


def test_a_cut_off_tail_that_was_filled_up_again_is_noticed(record, checkpoint, drop_triggers, sql):
    record(5)
    signed = checkpoint()
    drop_triggers()
    sql("DELETE FROM audit_auditentry WHERE sequence > 3")
    with_others = record(4)
    assert with_others[-1].sequence == 7
    assert not verify(signed).ok


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_one_changed_character_of_any_entry_is_found(data, record):
    """Without a database to be slow: the digest covers every field of an entry."""
    (entry,) = record(1)
    field = data.draw(
        st.sampled_from(["actor", "action", "subject", "previous", "sequence", "detail", "at"])
    )
    good = chain.digest(entry)
    value = getattr(entry, field)
    if field == "sequence":
        changed = value + data.draw(st.integers(1, 10**6))
    elif field == "detail":
        changed = value | {data.draw(st.text()): data.draw(st.integers(10**6))}
    elif field == "at":
        changed = value + data.draw(st.timedeltas().filter(bool).filter(lambda t: abs(t.days) < 99))
    else:
        changed = data.draw(st.text(max_size=90).filter(lambda text: text != value))
    setattr(entry, field, changed)
    assert chain.digest(entry) != good


def test_a_checkpoint_by_another_key_is_refused(record, checkpoint):
    record(1)
    checkpoint()
    stranger = Signer.generate(f"{ORIGIN}/audit")
    with pytest.raises(NoteRefused):
        checkpoints.read(checkpoint.path, stranger.verifier)


def test_an_altered_checkpoint_is_refused(record, checkpoint, signer):
    record(3)
    checkpoint()
    text = checkpoint.path.read_text()
    checkpoint.path.write_text(text.replace("\n3\n", "\n2\n", 1))
    with pytest.raises(NoteRefused):
        checkpoints.read(checkpoint.path, signer.verifier)


def test_a_note_that_is_no_checkpoint_is_refused(checkpoint, signer):
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_text(signer.sign("hotline.example/list\nedition 1\n") + "\n----\n")
    with pytest.raises(NoteRefused, match="not an audit checkpoint"):
        checkpoints.read(checkpoint.path, signer.verifier)


def test_a_checkpoint_cut_off_by_a_crash_was_never_promised(record, checkpoint, signer):
    record(2)
    checkpoint()
    with checkpoint.path.open("a") as file:
        file.write("hotline.example/audit\n9")
    assert [c.size for c in checkpoints.read(checkpoint.path, signer.verifier)] == [2]


def test_no_file_is_no_checkpoints(tmp_path, signer):
    assert checkpoints.read(tmp_path / "none", signer.verifier) == []


def test_what_a_crash_left_is_cut_away_before_the_next_checkpoint(record, checkpoint, signer):
    record(2)
    checkpoint()
    whole = checkpoint.path.read_bytes()
    with checkpoint.path.open("ab") as file:
        file.write(whole[:60])
    record(1)
    checkpoint()
    assert [c.size for c in checkpoints.read(checkpoint.path, signer.verifier)] == [2, 3]


def test_a_checkpoint_that_lost_only_its_end_still_counts(record, checkpoint, signer):
    record(2)
    checkpoint()
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-3])
    assert [c.size for c in checkpoints.read(checkpoint.path, signer.verifier)] == [2]


def test_a_file_without_any_whole_checkpoint_is_refused(tmp_path, signer):
    for name, content in (("text", b"secret\n"), ("bytes", b"\xff\xfe")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(NoteRefused):
            checkpoints.read(tmp_path / name, signer.verifier)


def test_an_honest_checkpoint_after_a_rewrite_does_not_hide_it(record):
    record(3)
    size, good = chain.head()
    found = verify([checkpoints.Checkpoint(size, "0" * 64), checkpoints.Checkpoint(size, good)])
    assert (found.ok, found.sequence) == (False, 1)


def test_without_a_checkpoint_it_says_what_would_not_show(record):
    record(1)
    assert "no checkpoint" in verify().message
