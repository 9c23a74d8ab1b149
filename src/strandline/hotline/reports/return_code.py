"""The seven words by which a reporter, and nobody else, finds a report again.

Seven words of the EFF's long list (7,776 words: about 90 bits). Kept only as Argon2id under one
salt of the hotline's own, so that a code is found by its hash without an account or a number, as
SecureDrop does; a wrong and an expired code cost the same one hash.
"""

import functools
import secrets
import unicodedata

from argon2.low_level import Type, hash_secret
from django.conf import settings
from xkcdpass import xkcd_password

from strandline.hotline.reports.turns import Turns

WORDS = 7
#: What one Argon2id takes of memory; a test that sends many reports may make it cheap.
MEMORY_KIB = 64 * 1024
#: Two at once, so that pages which need no hash stay quick and memory stays bounded.
_HASHING = Turns(2, waiting=10)


@functools.cache
def words() -> tuple[str, ...]:
    """The 7,776 words codes are made of."""
    return tuple(xkcd_password.generate_wordlist(wordfile="eff-long", min_length=1, max_length=30))


def new_code() -> str:
    """Seven words, chosen by the system's randomness."""
    return " ".join(secrets.choice(words()) for _ in range(WORDS))


def fold(typed: str) -> str:
    """A code as typed, as its letters alone.

    Case, accents of compatibility and whatever stands between the words do not matter: spaces,
    line ends, hyphens, commas, the invisible marks that copying from a page brings along.
    """
    text = unicodedata.normalize("NFKC", typed).casefold()
    return "".join(letter for letter in text if letter.isalpha())[:300]


def code_hash(typed: str) -> str:
    """Argon2id of the code; the same code always gives the same text.

    Raises:
        Busy: more codes wait to be hashed than this process can do in a second.
    """
    salt = settings.HOTLINE.secret("return-code-salt").encode()[:32]
    with _HASHING.turn():
        return hash_secret(
            fold(typed).encode(),
            salt,
            time_cost=3,
            memory_cost=MEMORY_KIB,
            parallelism=1,
            hash_len=32,
            type=Type.ID,
        ).decode()


def looks_like_code(text: str) -> bool:
    """Whether a message seems to hold a return code: seven of the list's words in a row."""
    known, run = set(words()), 0
    for word in text.lower().split():
        run = run + 1 if word.strip(".,;:'\"()") in known else 0
        if run >= WORDS:
            return True
    return False
