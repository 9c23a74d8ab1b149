"""Proofs as texts: what the specification gives, offline, and nothing else."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import naive_tree as naive
from log_cast import HOUR, LOG, NOW, W1, W2, cosigned
from strandline.transparency import Log, NoteRefused, ProofRefused, make_proof, open_proof


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    log = Log(tmp_path_factory.mktemp("log"), LOG)
    log.append(naive.leaves(300))
    cosigned(log, W1, W2)
    return log


def proof_of(log, index):
    return make_proof(index, log.reader().inclusion(index, log.size), log.published())


def opened(text, leaf, **more):
    witnesses = [W1.verifier, W2.verifier]
    return open_proof(text, leaf, LOG.verifier, witnesses, 2, now=NOW, fresh=HOUR, **more)


@pytest.mark.parametrize("index", [0, 7, 255, 256, 299])
def test_a_leaf_of_the_log_is_proved(log, index):
    text = proof_of(log, index)
    found = opened(text, b"leaf %d" % index)
    assert (found.index, found.opened.checkpoint.size) == (index, 300)
    assert opened(text.encode(), b"leaf %d" % index) == found


def test_its_form_is_that_of_the_specification(log):
    lines = proof_of(log, 7).split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 7"]
    blank = lines.index("")
    assert 2 < blank < 66
    assert "\n".join(lines[blank + 1 :]) == log.published()


def test_extra_data_is_skipped_since_nothing_vouches_for_it(log):
    text = proof_of(log, 7).replace("index 7", "extra YWdl\nindex 7")
    assert opened(text, b"leaf 7").index == 7
    with pytest.raises(ProofRefused):
        opened(text.replace("YWdl", "?"), b"leaf 7")


def test_another_leaf_is_not_proved(log):
    for leaf in (b"leaf 8", b"", b"leaf 7\n"):
        with pytest.raises(ProofRefused):
            opened(proof_of(log, 7), leaf)


def test_a_proof_is_no_better_than_its_checkpoint(log):
    text = make_proof(7, log.reader().inclusion(7, 300), log.checkpoint())
    with pytest.raises(NoteRefused, match="of the 2 witnesses"):
        opened(text, b"leaf 7")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 7", "index 07"),
        ("index 7", "index -7"),
        ("index 7", "index 7 "),
        ("index 7", "index ٧"),
        ("index 7", "index 9999999999999999999999"),
        ("index 7", "Index 7"),
        ("index 7\n", ""),
        ("index 7\n", "index 7\n\n"),
        ("\n\nlog.example", "\nlog.example"),
        ("\n", "\r\n"),
    ],
)
def test_another_form_is_refused(log, old, new):
    text = proof_of(log, 7)
    assert old in text
    with pytest.raises((ProofRefused, NoteRefused)):
        opened(text.replace(old, new), b"leaf 7")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_changed_byte_is_refused(log, data):
    text = proof_of(log, data.draw(st.sampled_from([0, 7, 299]))).encode()
    index = int(text.split(b"\n")[1].split(b" ")[1])
    at, byte = data.draw(st.integers(0, len(text) - 1)), data.draw(st.integers(0, 255))
    assume(text[at] != byte)
    changed = bytearray(text)
    changed[at] = byte
    with pytest.raises((ProofRefused, NoteRefused)):
        opened(bytes(changed), b"leaf %d" % index)


def test_nothing_is_read_of_what_is_no_proof():
    for text in ("", "\n\n", b"\xff", "c2sp.org/tlog-proof@v1\n\n", "x" * 300_000):
        with pytest.raises((ProofRefused, NoteRefused)):
            open_proof(text, b"", LOG.verifier)
