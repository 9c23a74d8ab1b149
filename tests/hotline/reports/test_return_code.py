"""The seven words: random, found however they are typed, and equally slow when wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.reports.return_code import (
    WORDS,
    code_hash,
    fold,
    looks_like_code,
    new_code,
    words,
)

WORD = st.sampled_from(sorted(words()))
CODE = st.lists(WORD, min_size=WORDS, max_size=WORDS).map(" ".join)


def test_there_are_ninety_bits_in_a_code():
    assert len(words()) == len(set(words())) == 7776
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code.split()) == WORDS for code in codes)
    assert all(word in words() for code in codes for word in code.split())


@given(
    CODE, st.sampled_from(["  ", "\n", "-", ", ", "; ", "\t", ". ", " \u200b", "\u2011", "\xa0"])
)
def test_what_stands_between_the_words_does_not_matter(code, between):
    assert fold(between.join(code.split())) == fold(code)


@given(CODE)
def test_case_and_invisible_marks_do_not_matter(code):
    assert fold(code.upper()) == fold(code.title()) == fold(f"  {code}.\r\n") == fold(code)
    assert fold("\u00ad".join(code)) == fold("\ufeff" + code) == fold(code)


@given(CODE, CODE)
def test_two_codes_fold_alike_only_when_their_letters_are_the_same(one, other):
    letters = ["".join(filter(str.isalpha, code)) for code in (one, other)]
    assert (fold(one) == fold(other)) == (letters[0] == letters[1])


@given(st.text())
def test_anything_typed_is_folded_to_a_bounded_text(typed):
    assert len(fold(typed)) <= 300


def test_only_an_argon2id_hash_is_kept_and_it_is_the_same_each_time(hotline):
    code = new_code()
    kept = code_hash(code)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert kept == code_hash(code.upper())
    assert kept != code_hash(new_code())
    assert not any(word in kept for word in code.split() if len(word) > 4)


@pytest.mark.django_db
def test_a_right_a_wrong_and_an_expired_code_cost_one_hash_each(hotline, now, monkeypatch):
    from strandline.hotline.reports import return_code
    from strandline.hotline.reports.services import report_by_code, take_report

    taken = take_report(address="https://pictures.example.com/a", now=now)
    hashed = []
    argon2 = return_code.hash_secret
    monkeypatch.setattr(
        return_code,
        "hash_secret",
        lambda *a, **k: hashed.append(k["memory_cost"]) or argon2(*a, **k),
    )
    expired = now + 10 * hotline.intake.code_lives
    given = ((taken.code, now), (new_code(), now), (taken.code, expired), ("", now))
    opened = [report_by_code(typed, now=at) for typed, at in given]
    assert opened == [taken.report, None, None, None]
    # Time itself is not measured here: machines are noisy. One hash of one cost is the time.
    assert hashed == [64 * 1024] * len(given)


@given(CODE, st.text("abc ,.", max_size=30), st.text("xyz ,.", max_size=30))
def test_a_code_in_a_message_is_noticed(code, before, after):
    assert looks_like_code(f"{before} {code} {after}")
    assert looks_like_code(f"{before} {code.upper()}. {after}")


def test_an_ordinary_message_is_no_code():
    assert not looks_like_code(
        "I saw this in a group chat yesterday evening. There are about twenty pictures on the "
        "page, and the one in the third row worries me. Please help whoever that is."
    )
    assert not looks_like_code(" ".join(new_code().split()[:6]))
