"""Costly work is done by a few at once; who would wait too long is told at once."""

import threading

import pytest

from strandline.hotline.errors import Busy
from strandline.hotline.reports import return_code
from strandline.hotline.reports.turns import Turns


def test_no_more_than_two_codes_are_hashed_at_once(hotline, monkeypatch):
    lock, now, most, enough = threading.Lock(), [0], [0], threading.Event()

    def slow(*_args, **_more):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        enough.wait(0.1)
        with lock:
            now[0] -= 1
        return b"hash"

    monkeypatch.setattr(return_code, "hash_secret", slow)
    callers = [threading.Thread(target=return_code.code_hash, args=("a",)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert most == [2]


def test_whoever_finds_every_place_taken_is_told_at_once_and_places_come_free():
    turns = Turns(1, waiting=1)
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with turns.turn():
            inside.set()
            leave.wait(10)

    callers = [threading.Thread(target=stay) for _ in range(2)]
    callers[0].start()
    assert inside.wait(10)
    callers[1].start()
    while turns._places._value:
        leave.wait(0.01)
    with pytest.raises(Busy, match="try again"), turns.turn():
        pass
    leave.set()
    for caller in callers:
        caller.join()
    with turns.turn():
        pass


def test_a_turn_that_fails_is_given_back():
    turns = Turns(1, waiting=0)
    for _ in range(3):
        with pytest.raises(RuntimeError), turns.turn():
            raise RuntimeError
