import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.vault import CannotOpen, VaultError, new_identity, seal, unseal

IDENTITY, RECIPIENT = new_identity()

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="the age command is missing")


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_what_is_sealed_can_be_unsealed(text: str) -> None:
    sealed = seal(text, RECIPIENT)
    assert unseal(sealed, IDENTITY) == text
    assert len(text) < 4 or text.encode() not in sealed


def test_a_new_identity_is_new_and_in_ages_form() -> None:
    identity, recipient = new_identity()
    assert identity.startswith("AGE-SECRET-KEY-1")
    assert recipient.startswith("age1")
    assert (identity, recipient) != (IDENTITY, RECIPIENT)


def test_another_identity_does_not_open_it() -> None:
    with pytest.raises(CannotOpen, match="does not open"):
        unseal(seal("for one only", RECIPIENT), new_identity()[0])


def test_an_altered_or_shortened_seal_does_not_open() -> None:
    sealed = seal("as it was written", RECIPIENT)
    for broken in (sealed[:-1], sealed[:-20], sealed[:50], b"", sealed[:-1] + b"\0", b"x" + sealed):
        with pytest.raises(CannotOpen):
            unseal(broken, IDENTITY)


def test_what_is_no_key_is_named_without_repeating_it() -> None:
    with pytest.raises(VaultError, match="not an age recipient"):
        seal("text", "age1nonsense")
    almost = IDENTITY[:-1]
    with pytest.raises(CannotOpen) as caught:
        unseal(seal("text", RECIPIENT), almost)
    assert almost not in str(caught.value)


def test_a_secret_key_given_as_recipient_is_refused() -> None:
    with pytest.raises(VaultError):
        seal("text", IDENTITY)


@needs_age
def test_the_age_command_opens_what_was_sealed(tmp_path) -> None:
    (tmp_path / "identity").write_text(IDENTITY)
    (tmp_path / "sealed").write_bytes(seal("grüße", RECIPIENT))
    opened = subprocess.run(
        ["age", "--decrypt", "-i", tmp_path / "identity", tmp_path / "sealed"],
        capture_output=True,
        check=True,
    )
    assert opened.stdout.decode() == "grüße"


@needs_age
def test_what_the_age_command_encrypted_is_unsealed() -> None:
    made = subprocess.run(
        ["age", "-r", RECIPIENT], input="grüße".encode(), capture_output=True, check=True
    )
    assert unseal(made.stdout, IDENTITY) == "grüße"
