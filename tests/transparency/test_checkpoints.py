"""Checkpoints and cosignatures: what is believed of a log, and of whom."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_tree as naive
from log_cast import HOUR, LOG, NOW, OTHER_LOG, W1, W2, W3, body
from strandline.transparency import (
    Checkpoint,
    CheckpointRefused,
    CosignatureSigner,
    CosignatureVerifier,
    NoteRefused,
    ProofRefused,
    Signer,
    Verifier,
    open_checkpoint,
    open_note,
)
from strandline.transparency.merkle import EMPTY_ROOT, consistency_proof, root_of

HASHES = [naive.leaf(leaf) for leaf in naive.leaves(9)]
NINE = Checkpoint("log.example", 9, root_of(HASHES))
NOTE = LOG.sign(NINE.text)
ALL = [W1.verifier, W2.verifier, W3.verifier]


def at(size):
    return Checkpoint("log.example", size, root_of(HASHES[:size]))


def cosigned(*witnesses, when=NOW, note=NOTE):
    return note + "".join(witness.cosign(body(note), when) for witness in witnesses)


def opened(note, quorum=2, **more):
    return open_checkpoint(note, LOG.verifier, ALL, quorum, now=NOW, fresh=HOUR, **more)


def test_the_example_of_the_specification_is_read():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == text


@given(
    st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1, max_size=30),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(st.characters(exclude_characters="\n"), min_size=1), max_size=3),
)
def test_a_checkpoint_survives_being_written_and_read(origin, size, root, extensions):
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log.example\n9\n",
        "log.example\n9\nAAAA\n",
        NINE.text[:-1],
        NINE.text + "\n",
        NINE.text.replace("\n9\n", "\n09\n"),
        NINE.text.replace("\n9\n", "\n+9\n"),
        NINE.text.replace("\n9\n", "\n9 \n"),
        NINE.text.replace("\n9\n", "\n٩\n"),
        NINE.text.replace("\n9\n", "\n-1\n"),
        NINE.text.replace("\n9\n", f"\n{2**63}\n"),
        NINE.text.replace("log.example", ""),
        NINE.text.replace("=\n", "\n"),
    ],
)
def test_what_is_not_canonical_is_no_checkpoint(text):
    with pytest.raises(CheckpointRefused):
        Checkpoint.parse(text)


def test_a_log_signature_and_a_fresh_quorum_are_believed():
    found = opened(cosigned(W1, W3))
    assert found.checkpoint == NINE
    assert found.cosigned == {"witness.example/1": NOW, "witness.example/3": NOW}
    assert opened(cosigned(W1, W3).encode()).checkpoint == NINE


def test_a_quorum_of_none_needs_no_witness():
    assert opened(NOTE, 0).checkpoint == NINE


def test_too_few_witnesses_are_refused():
    for note in (NOTE, cosigned(W1), cosigned(W1, W1), cosigned(W1, W1, when=NOW - HOUR)):
        with pytest.raises(CheckpointRefused, match="of the 2 witnesses"):
            opened(note)


def test_an_unknown_witness_does_not_count():
    stranger = CosignatureSigner.from_seed("stranger.example", bytes([9]) * 32)
    with pytest.raises(CheckpointRefused):
        opened(cosigned(W1, stranger))


def test_one_key_under_two_names_is_one_witness():
    twin = CosignatureVerifier("twin.example", W1.verifier.public_key)
    with pytest.raises(CheckpointRefused, match="twice"):
        open_checkpoint(cosigned(W1), LOG.verifier, [W1.verifier, twin], 2)


def test_a_quorum_nobody_can_reach_is_refused():
    with pytest.raises(CheckpointRefused, match="only 3 are known"):
        open_checkpoint(cosigned(W1, W2, W3), LOG.verifier, ALL, 4)


def test_the_logs_key_does_not_count_as_a_witness_nor_a_witness_as_the_log():
    with pytest.raises(NoteRefused):
        opened(cosigned(W1, W2, note=OTHER_LOG.sign(NINE.text).replace("— other", "— log")))
    lone = NINE.text + "\n" + W1.cosign(NINE.text, NOW) + W2.cosign(NINE.text, NOW)
    with pytest.raises(CheckpointRefused, match="did not sign"):
        opened(lone)


def test_a_plain_signature_of_a_witnesss_key_is_no_cosignature():
    plain = Signer.from_seed("witness.example/1", bytes([1]) * 32)
    line = plain.sign(NINE.text).split("\n\n")[1]
    with pytest.raises(CheckpointRefused):
        opened(cosigned(W2) + line)


@pytest.mark.parametrize("when", [NOW - HOUR, NOW, NOW + timedelta(minutes=5)])
def test_cosignatures_within_the_time_are_fresh(when):
    opened(cosigned(W1, W2, when=when))


def test_an_old_state_is_refused_with_its_age():
    late = cosigned(W1, when=NOW - HOUR - timedelta(seconds=1))
    with pytest.raises(CheckpointRefused, match="longer than 1 hour ago"):
        opened(late + W2.cosign(NINE.text, NOW - timedelta(days=1)))
    # The newer of two cosignatures by one witness counts.
    opened(late + W1.cosign(NINE.text, NOW) + W2.cosign(NINE.text, NOW))


def test_one_fresh_witness_does_not_make_an_old_quorum_fresh():
    day = NOW - timedelta(days=1)
    note = cosigned(W1) + W2.cosign(NINE.text, day)
    with pytest.raises(CheckpointRefused, match=f"by enough witnesses on {day:%Y-%m-%d}"):
        opened(note)
    opened(note, 1)


def test_a_state_from_the_future_tells_that_a_clock_is_wrong():
    with pytest.raises(CheckpointRefused, match="clocks is wrong"):
        opened(cosigned(W1, W2, when=NOW + timedelta(days=1)))


def test_a_state_of_another_log_is_refused_though_its_key_signed():
    other = LOG.sign(replace(NINE, origin="elsewhere.example").text)
    with pytest.raises(CheckpointRefused, match=r"elsewhere\.example"):
        opened(other, 0)
    assert opened(other, 0, origin="elsewhere.example").checkpoint.size == 9


def test_an_empty_log_has_the_empty_trees_root_and_no_other():
    empty = Checkpoint("log.example", 0, EMPTY_ROOT)
    assert opened(LOG.sign(empty.text), 0).checkpoint == empty
    with pytest.raises(CheckpointRefused, match="one root"):
        opened(LOG.sign(replace(empty, root=bytes(32)).text), 0)


def test_extension_lines_are_signed_and_cosigned_with_the_rest():
    text = NINE.text + "more\n"
    note = LOG.sign(text)
    assert opened(cosigned(W1, W2, note=note)).checkpoint.extensions == ("more",)
    with pytest.raises(NoteRefused):
        opened(cosigned(W1, W2, note=note).replace("more", "less"))


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_log_goes_on_from_each_of_its_earlier_states_and_from_nothing_else(older, newer):
    proof = consistency_proof(HASHES[:newer], older) if 0 < older <= newer else []
    if older <= newer:
        at(newer).extends(at(older), proof)
    else:
        with pytest.raises(ProofRefused, match="rollback"):
            at(newer).extends(at(older), proof)
    for bad in (
        replace(at(older), root=bytes(32)) if older else None,
        replace(at(older), origin="other.example"),
    ):
        if bad is not None:
            with pytest.raises(ProofRefused):
                at(newer).extends(bad, proof)


def test_nothing_is_proved_from_the_empty_log_and_a_proof_that_claims_to_is_refused():
    at(9).extends(at(0), [])
    for newer in (at(9), at(0)):
        with pytest.raises(ProofRefused):
            newer.extends(at(0), [HASHES[0]])
    with pytest.raises(ProofRefused):
        Checkpoint("log.example", 0, bytes(32)).extends(at(0), [])


def test_a_cosignature_is_the_specifications_message_under_the_specifications_key_id():
    line = W1.cosign(NINE.text, NOW)
    name, blob = line.removeprefix("— ").rstrip("\n").split(" ")
    data = base64.b64decode(blob)
    seconds = int(NOW.timestamp())
    assert name == "witness.example/1"
    assert data[:4] == W1.verifier.key_id
    assert int.from_bytes(data[4:12], "big") == seconds
    message = f"cosignature/v1\ntime {seconds}\n{NINE.text}".encode()
    assert Verifier(name, W1.verifier.public_key).verifies(message, data[12:])
    assert base64.b64decode(W1.vkey.split("+", 2)[2])[:1] == b"\x04"


def test_a_cosignatures_time_cannot_be_changed():
    data = bytearray(base64.b64decode(W1.cosign(NINE.text, NOW).split(" ")[2]))
    for seconds in (0, 1, int(NOW.timestamp()) + 1, 2**64 - 1):
        data[4:12] = seconds.to_bytes(8, "big")
        line = f"— {W1.name} {base64.b64encode(bytes(data)).decode()}\n"
        with pytest.raises(NoteRefused):
            open_note(NOTE + line, [LOG.verifier, W1.verifier])


def test_a_cosignature_of_another_length_is_refused():
    data = base64.b64decode(W1.cosign(NINE.text, NOW).split(" ")[2])
    for bad in (data[:-1], data + b"\x00", data[:4] + data[12:]):
        line = f"— {W1.name} {base64.b64encode(bad).decode()}\n"
        with pytest.raises(NoteRefused):
            open_note(NOTE + line, [LOG.verifier, W1.verifier])


def test_a_witnesss_key_is_read_as_such_and_not_as_a_signers():
    assert CosignatureVerifier.from_vkey(W1.vkey) == W1.verifier
    assert W1.verifier != Verifier(W1.name, W1.verifier.public_key)
    with pytest.raises(NoteRefused, match="for notes"):
        Verifier.from_vkey(W1.vkey)
    with pytest.raises(NoteRefused, match="cosignatures"):
        CosignatureVerifier.from_vkey(LOG.vkey)


def test_a_witnesss_key_file_gives_the_same_witness(tmp_path):
    W1.save(tmp_path / "key")
    assert CosignatureSigner.load(tmp_path / "key").vkey == W1.vkey
    assert "PRIVATE" not in repr(W1)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
