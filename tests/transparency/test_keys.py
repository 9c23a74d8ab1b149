"""Keys: their names, their text form and the file that holds the private half."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.transparency import NoteRefused, Signer, Verifier, open_note

# RFC 8032, section 7.1, test 1.
RFC_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_the_seed_of_rfc_8032_gives_its_public_key():
    assert Signer.from_seed("a", RFC_SEED).verifier.public_key == RFC_PUBLIC


@given(
    seed=st.binary(min_size=32, max_size=32),
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
        lambda name: "+" not in name
    ),
)
def test_a_verifier_key_survives_being_written_and_read(seed, name):
    signer = Signer.from_seed(name, seed)
    assert Verifier.from_vkey(signer.vkey) == signer.verifier


def test_changing_any_one_character_of_a_verifier_key_is_refused():
    vkey = Signer.from_seed("hotline.example", RFC_SEED).vkey
    for place, character in enumerate(vkey):
        for other in {"a", "B", "3", "+", " ", "/"} - {character}:
            with pytest.raises(NoteRefused):
                Verifier.from_vkey(vkey[:place] + other + vkey[place + 1 :])


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "tab\t", "no\u00a0break", "\ud800", "\x01"]
)
def test_a_name_a_signature_line_cannot_carry_is_refused(name):
    with pytest.raises(NoteRefused):
        Signer.generate(name)


@pytest.mark.parametrize("vkey", ["", "name", "name+00000000", "name+00000000+!!", "name+0+AQ=="])
def test_text_that_is_not_a_verifier_key_is_refused(vkey):
    with pytest.raises(NoteRefused, match=r"trusted\.$"):
        Verifier.from_vkey(vkey)


def test_two_generated_keys_differ():
    assert Signer.generate("a").vkey != Signer.generate("a").vkey


def test_a_saved_key_signs_the_same_and_only_its_owner_can_open_it(tmp_path):
    signer = Signer.generate("hotline.example")
    path = tmp_path / "list.key"
    signer.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["list.key"]
    assert open_note(Signer.load(path).sign("text\n"), [signer.verifier]).text == "text\n"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_file_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "list.key"
    Signer.generate("hotline.example").save(path)
    path.chmod(mode)
    with pytest.raises(NoteRefused, match="chmod 600"):
        Signer.load(path)


def test_saving_never_replaces_a_key(tmp_path):
    path = tmp_path / "list.key"
    Signer.generate("first.example").save(path)
    before = path.read_bytes()
    with pytest.raises(NoteRefused, match="was kept"):
        Signer.generate("second.example").save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["list.key"]


def test_a_write_that_fails_leaves_no_half_key(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NoteRefused, match="No space left"):
        Signer.generate("hotline.example").save(tmp_path / "list.key")
    assert list(tmp_path.iterdir()) == []


def test_changing_any_one_byte_of_a_key_file_is_refused(tmp_path):
    path = tmp_path / "list.key"
    Signer.from_seed("hotline.example", RFC_SEED).save(path)
    original = path.read_bytes()
    for place in range(len(original)):
        altered = bytearray(original)
        altered[place] ^= 0x01
        path.write_bytes(altered)
        with pytest.raises(NoteRefused):
            Signer.load(path)


def test_a_missing_key_file_is_a_sentence(tmp_path):
    with pytest.raises(NoteRefused, match="cannot be read: No such file"):
        Signer.load(tmp_path / "absent.key")


def test_a_key_never_shows_in_its_representation():
    assert RFC_SEED.hex() not in repr(Signer.from_seed("a", RFC_SEED))
    assert repr(Signer.from_seed("a", RFC_SEED)).startswith("Signer('a+")
