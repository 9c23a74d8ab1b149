"""Mutated proofs, checkpoints, cosignatures, requests and tiles: none is accepted.

``STRANDLINE_TEST_LOG_MUTATIONS`` sets how many of each kind; 20,000 were run.
"""

import os
import random
from datetime import timedelta

import pytest

import naive_tree as naive
from log_cast import HOUR, LOG, NOW, OTHER_LOG, W1, W2, W3, body, cosigned, reading
from strandline.errors import StrandlineError
from strandline.transparency import (
    Log,
    LogDamaged,
    NoteRefused,
    ProofRefused,
    make_proof,
    open_checkpoint,
    open_proof,
)
from strandline.transparency.merkle import consistency_proof, leaf_hash, verify_consistency
from strandline.transparency.notes import split_note
from strandline.transparency.tiles import VerifiedTiles
from strandline.transparency.witness import Witness
from strandline.transparency.witnessing import request

MUTATIONS = int(os.environ.get("STRANDLINE_TEST_LOG_MUTATIONS", "1000"))
WITNESSES = [W1.verifier, W2.verifier, W3.verifier]
SIZES = (1, 2, 3, 200, 256, 300, 777)


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """Genuine checkpoints of one log as it grew, of a fork of it, and of another."""
    found = []
    for name, signer, fork in (("log", LOG, 0), ("fork", LOG, 5), ("other", OTHER_LOG, 0)):
        log = Log(tmp_path_factory.mktemp(name), signer)
        for size in SIZES:
            log.append(naive.leaves(size - log.size, fork + log.size))
            note = log.checkpoint()
            text, _ = split_note(note)
            found.append(note + "".join(w.cosign(text, NOW) for w in (W1, W2, W3)))
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    log = Log(tmp_path_factory.mktemp("one"), LOG)
    log.append(naive.leaves(777))
    cosigned(log, W1, W2, W3)
    return log


def mutated(chance, text, others):
    """``text`` with one to three changes, some of them pieces of other genuine ones."""
    changed = text
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        changed = chance.choice(CHANGES)(chance, changed, chance.choice(others))
    return changed


def flip(chance, text, _other):
    at = chance.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]


def replace(chance, text, _other):
    at = chance.randrange(len(text))
    return text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]


def drop(chance, text, _other):
    at = chance.randrange(len(text))
    return text[:at] + text[at + chance.choice((1, 1, 4, 44, 200)) :] or b"\n"


def insert(chance, text, _other):
    at = chance.randrange(len(text) + 1)
    new = chance.choice((b"\n", b" ", b"0", b"=", b"\r", b"\x00", chance.randbytes(5)))
    return text[:at] + new + text[at:]


def drop_line(chance, text, _other):
    lines = text.split(b"\n")
    lines.pop(chance.randrange(len(lines)))
    return b"\n".join(lines) or b"\n"


def swap_lines(chance, text, _other):
    lines = text.split(b"\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\n".join(lines)


def line_of_another(chance, text, other):
    lines, theirs = text.split(b"\n"), other.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at] = theirs[min(at, len(theirs) - 1)]
    return b"\n".join(lines)


def end_of_another(chance, text, other):
    lines, theirs = text.split(b"\n"), other.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *theirs[at:]]) or b"\n"


def number(chance, text, _other):
    lines = text.split(b"\n")
    places = [at for at, line in enumerate(lines) if line.split(b" ")[-1].isdigit()]
    if places:
        at = chance.choice(places)
        head, _, digits = lines[at].rpartition(b" ")
        new = max(0, int(digits) + chance.choice((-256, -2, -1, 1, 2, 256)))
        lines[at] = head + (b" " if head else b"") + str(new).encode()
    return b"\n".join(lines)


CHANGES = (
    *(flip, replace, drop, insert, drop_line, swap_lines),
    *(line_of_another, end_of_another, number),
)


def said(note):
    """What a note says and who signed, in whatever order; None for what is no note."""
    try:
        text, lines = split_note(note)
    except NoteRefused:
        return None
    return text, frozenset(lines)


def test_mutated_checkpoints_and_cosignatures_are_refused(notes):
    chance = random.Random(1)
    genuine = [note.encode() for note in notes[: len(SIZES)]]
    others = [note.encode() for note in notes]
    true = {said(note) for note in notes}
    tried = 0
    while tried < MUTATIONS:
        note = chance.choice(genuine)
        changed = mutated(chance, note, others)
        if said(changed) in true:
            continue
        tried += 1
        with pytest.raises(StrandlineError):
            open_checkpoint(changed, LOG.verifier, WITNESSES, 3, now=NOW, fresh=HOUR)


def test_mutated_proofs_are_refused(log):
    chance = random.Random(2)
    places = [0, 1, 255, 256, 511, 512, 700, 768, 776]
    genuine = {
        index: make_proof(index, log.reader().inclusion(index, 777), log.published()).encode()
        for index in places
    }
    others = list(genuine.values())
    tried = 0
    while tried < MUTATIONS:
        index = chance.choice(places)
        changed = mutated(chance, genuine[index], others)
        head, _, note = changed.partition(b"\n\n")
        before, _, true = genuine[index].partition(b"\n\n")
        if head == before and said(note) == said(true):
            continue
        tried += 1
        with pytest.raises(StrandlineError):
            open_proof(
                changed,
                b"leaf %d" % index,
                LOG.verifier,
                WITNESSES,
                3,
                now=NOW + timedelta(minutes=1),
                fresh=HOUR,
            )


def test_mutated_requests_are_cosigned_only_if_what_they_say_is_true(tmp_path, notes):
    chance = random.Random(3)
    hashes = [leaf_hash(leaf) for leaf in naive.leaves(777)]
    proofs = {size: consistency_proof(hashes[:size], 200) for size in SIZES[3:]}
    heads = {body(notes[SIZES.index(size)]): request(200, proofs[size], "") for size in proofs}
    genuine = [request(200, proofs[size], notes[SIZES.index(size)]) for size in proofs]
    witness, cosigned_ = None, 0
    for turn in range(MUTATIONS):
        if witness is None:
            witness = Witness(tmp_path / f"state-{turn}", W1, [LOG.verifier])
            assert witness.add_checkpoint(request(0, [], notes[3])).status == 200
        changed = mutated(chance, chance.choice(genuine), genuine)
        reply = witness.add_checkpoint(changed)
        assert reply.status in {200, 400, 403, 404, 409, 422}
        if reply.status == 200:  # a witness's line was changed, which this one ignores
            head, _, note = changed.partition(b"\n\n")
            expected = heads[body(note.decode())]
            assert expected in {head + b"\n\n", head + b"\n"}
            cosigned_ += 1
            witness = None
    assert cosigned_ < MUTATIONS // 2


def test_mutated_consistency_proofs_are_refused():
    chance = random.Random(4)
    hashes = [leaf_hash(leaf) for leaf in naive.leaves(130)]
    tried = 0
    while tried < MUTATIONS:
        size2 = chance.randrange(2, 131)
        size1 = chance.randrange(1, size2)
        root1, root2 = naive.mth(naive.leaves(size1)), naive.mth(naive.leaves(size2))
        proof = consistency_proof(hashes[:size2], size1)
        raw = bytearray(b"".join(proof))
        at = chance.randrange(len(raw))
        raw[at] ^= 1 << chance.randrange(8)
        pieces = [bytes(raw[at : at + 32]) for at in range(0, len(raw), 32)]
        wrong = chance.choice(
            [
                (size1, root1, size2, root2, pieces),
                (size1, root1, size2, root2, proof[:-1]),
                (size1, root1, size2, root2, [*proof, chance.randbytes(32)]),
                (size1, root2, size2, root1, proof),
                (size1, chance.randbytes(32), size2, root2, proof),
                (size1, root1, size2, chance.randbytes(32), proof),
                (0, root1, size2, root2, proof),
                (size2, root1, size1, root2, proof),
            ]
        )
        tried += 1
        with pytest.raises(ProofRefused):
            verify_consistency(*wrong)


def test_mutated_tiles_and_bundles_are_never_given(log):
    chance = random.Random(5)
    read = reading(log.directory)
    root = log.reader().root(777)
    paths = [p for p in log.directory.glob("tile/**/*") if p.is_file()]
    names = [str(path.relative_to(log.directory)) for path in paths]
    contents = [path.read_bytes() for path in paths]
    true = naive.leaves(777)
    tried = 0
    while tried < MUTATIONS // 4:  # each reads all of the log's files
        victim = chance.choice(names)
        raw = chance.choice((flip, replace, drop, insert))
        content = read(victim)
        new = chance.choice(contents) if chance.random() < 0.2 else raw(chance, content, content)
        if new == content:
            continue
        tried += 1
        used = []

        def lying(path, victim=victim, new=new, used=used):
            if path == victim:
                used.append(path)
                return new
            return read(path)

        try:
            got = list(VerifiedTiles(lying, 777, root).leaves(0, 777))
        except LogDamaged:
            assert used
        else:
            assert got == true
            assert not used
