"""A large list taken in, at the speed and in the memory that docs/formats.md states.

``STRANDLINE_TEST_IMPORT=100000`` takes so many rows and prints what it took.
"""

import os
import resource
import time

import pytest

from exchanged import row
from strandline.hotline.exchange import taking
from strandline.hotline.hashlist.models import Entry

pytestmark = pytest.mark.django_db
ROWS = int(os.environ.get("STRANDLINE_TEST_IMPORT", "3000"))


@pytest.fixture
def locked(monkeypatch):
    """Seconds for which taking in kept the chain's lock."""
    held = []
    write = taking._take_in

    def timed(*given):
        begun = time.perf_counter()
        write(*given)
        held.append(time.perf_counter() - begun)

    monkeypatch.setattr(taking, "_take_in", timed)
    return held


def test_a_large_list_is_read_taken_in_and_taken_back(
    source, give, take, take_back, locked, capsys
):
    took = []

    def step(work, *given):
        begun, worked = time.perf_counter(), time.process_time()
        done = work(*given)
        took.append((time.perf_counter() - begun, time.process_time() - worked))
        return done

    seen = step(give, source(), *(row(str(number)) for number in range(ROWS)))
    assert seen.counts == {"new": ROWS}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = step(take, seen)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert taken.outcome == {"listed": ROWS}
    step(take_back, taken)
    assert Entry.objects.filter(state=Entry.State.WITHDRAWN).count() == ROWS
    assert grown < 300 * 1024
    if ROWS > 3000:
        with capsys.disabled():
            seconds = ", ".join(f"{wall:.1f} s ({busy:.1f} of processor)" for wall, busy in took)
            print(f"\n{ROWS:,} rows read, taken in, taken back: {seconds}")
            print(f"locked for {sum(locked):.1f} s while taking in; +{grown >> 10} MB")
