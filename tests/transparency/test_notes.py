"""Signed notes: the specification's vectors, and that nothing altered passes."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from strandline.transparency import NoteRefused, Signer, Verifier, open_note

# The example of https://c2sp.org/signed-note, "Verifier keys".
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
    "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

SIGNER = Signer.from_seed("hotline.example", bytes(range(32)))
OTHER = Signer.from_seed("witness.example", bytes(32))
TEXT = "hotline.example/list\nedition 7\n\ned è subito sera\n"
NOTE = SIGNER.sign(TEXT)

note_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n"), max_size=200
).map(lambda text: text + "\n")


def signature_lines(note: str) -> str:
    return note[note.rfind("\n\n") + 2 :]


def test_the_note_of_the_specification_verifies_under_its_key():
    note = open_note(SPEC_NOTE, [Verifier.from_vkey(SPEC_VKEY)])
    assert note.text == "This is an example message.\n"
    assert note.signed_by == ("example.com/foo",)


def test_the_key_of_the_specification_survives_being_read_and_written():
    verifier = Verifier.from_vkey(SPEC_VKEY)
    assert verifier.vkey == SPEC_VKEY
    assert verifier.key_id.hex() == "530d903a"


@given(text=note_texts)
def test_what_is_signed_opens_to_the_same_text(text):
    assert open_note(SIGNER.sign(text), [SIGNER.verifier]).text == text


def test_signing_is_reproducible():
    assert SIGNER.sign(TEXT) == NOTE


@pytest.mark.parametrize("note", [NOTE, SPEC_NOTE], ids=["ours", "specification"])
def test_changing_any_one_byte_is_refused(note):
    verifiers = [SIGNER.verifier, Verifier.from_vkey(SPEC_VKEY)]
    data = note.encode()
    for place in range(len(data)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            altered = bytearray(data)
            altered[place] ^= flip
            with pytest.raises(NoteRefused):
                open_note(bytes(altered), verifiers)


def test_leaving_out_or_doubling_any_one_byte_is_refused():
    data = NOTE.encode()
    for place in range(len(data)):
        with pytest.raises(NoteRefused):
            open_note(data[:place] + data[place + 1 :], [SIGNER.verifier])
        with pytest.raises(NoteRefused):
            open_note(data[: place + 1] + data[place:], [SIGNER.verifier])


@settings(max_examples=300)
@given(data=st.data())
def test_any_other_bytes_never_open(data):
    original = NOTE.encode()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    altered = original[:start] + data.draw(st.binary(max_size=12)) + original[end:]
    assume(altered != original)
    with pytest.raises(NoteRefused):
        open_note(altered, [SIGNER.verifier])


@settings(max_examples=300)
@given(junk=st.text(max_size=300) | st.binary(max_size=300))
def test_arbitrary_input_is_refused_with_a_sentence(junk):
    with pytest.raises(NoteRefused, match=r"\.$"):
        open_note(junk, [SIGNER.verifier])


def test_a_note_signed_only_by_strangers_is_refused():
    with pytest.raises(NoteRefused, match="No trusted key signed this"):
        open_note(NOTE, [OTHER.verifier])
    with pytest.raises(NoteRefused, match="No trusted key"):
        open_note(NOTE, [])


def test_a_key_of_the_same_name_is_another_key():
    namesake = Signer.from_seed(SIGNER.name, b"\x07" * 32)
    with pytest.raises(NoteRefused, match="No trusted key"):
        open_note(NOTE, [namesake.verifier])


def test_signatures_of_strangers_are_ignored_beside_a_trusted_one():
    note = OTHER.sign(TEXT) + signature_lines(NOTE)
    assert open_note(note, [SIGNER.verifier]).signed_by == (SIGNER.name,)
    assert open_note(note, [SIGNER.verifier, OTHER.verifier]).signed_by == (OTHER.name, SIGNER.name)


def test_one_failing_signature_of_a_trusted_key_refuses_the_whole_note():
    note = NOTE + signature_lines(OTHER.sign("another text\n"))
    with pytest.raises(NoteRefused, match=r"witness\.example does not fit"):
        open_note(note, [SIGNER.verifier, OTHER.verifier])


def test_sixteen_signatures_are_accepted_and_hundreds_are_not():
    strangers = [Signer.from_seed(f"w{i}.example", bytes([i]) * 32) for i in range(15)]
    note = NOTE + "".join(signature_lines(s.sign(TEXT)) for s in strangers)
    assert open_note(note, [SIGNER.verifier]).text == TEXT
    with pytest.raises(NoteRefused, match="more than"):
        open_note(NOTE + signature_lines(NOTE) * 200, [SIGNER.verifier])


def test_base64_with_loose_trailing_bits_is_refused():
    # "aQM=" and "aQN=" decode to the same two bytes.
    with pytest.raises(NoteRefused, match="mistyped"):
        open_note(SPEC_NOTE.replace("aQM=", "aQN="), [Verifier.from_vkey(SPEC_VKEY)])


@pytest.mark.parametrize(
    "text", ["", "no newline", "carriage\r\n", "tab\there\n", "nul\0\n", "\ud800\n"]
)
def test_text_a_note_cannot_carry_is_not_signed(text):
    with pytest.raises(NoteRefused):
        SIGNER.sign(text)


def test_a_note_that_is_too_long_is_not_read():
    with pytest.raises(NoteRefused, match="too long"):
        open_note("a" * 2_000_000, [SIGNER.verifier])
