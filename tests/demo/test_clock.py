import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from strandline.demo.clock import FileClock


def test_every_reader_of_the_file_sees_the_time_that_was_set(tmp_path):
    clock, other = FileClock(tmp_path / "clock"), FileClock(tmp_path / "clock")
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert other.now() == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert clock.advance(timedelta(days=14)) == other.now() == datetime(2026, 3, 16, 9, tzinfo=UTC)


def test_another_process_sees_it_too(tmp_path):
    FileClock(tmp_path / "clock").set(datetime(2026, 3, 2, tzinfo=UTC))
    code = "import sys, strandline.demo.clock as c; print(c.FileClock(sys.argv[1]).now())"
    command = [sys.executable, "-c", code, tmp_path / "clock"]
    seen = subprocess.run(command, check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "2026-03-02 00:00:00+00:00"


def test_the_time_read_is_in_utc(tmp_path):
    clock = FileClock(tmp_path / "clock")
    clock.set(datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now().isoformat() == "2026-03-02T07:00:00+00:00"


def test_a_time_without_a_zone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        FileClock(tmp_path / "clock").set(datetime(2026, 3, 2))  # noqa: DTZ001


def test_a_clock_that_was_never_set_has_no_time(tmp_path):
    with pytest.raises(FileNotFoundError):
        FileClock(tmp_path / "clock").now()


def test_a_reader_never_meets_half_a_line(tmp_path):
    clock = FileClock(tmp_path / "clock")
    start = datetime(2026, 3, 2, tzinfo=UTC)
    clock.set(start)
    stopped = threading.Event()

    def keep_setting():
        while not stopped.is_set():
            clock.advance(timedelta(microseconds=1))

    writer = threading.Thread(target=keep_setting)
    writer.start()
    try:
        seen = [clock.now() for _ in range(500)]
    finally:
        stopped.set()
        writer.join()
    assert seen == sorted(seen)
    assert seen[0] >= start
    assert [file.name for file in tmp_path.iterdir()] == ["clock"]


def test_the_story_ends_in_the_last_days_and_always_begins_alike():
    from strandline.demo.clock import STORY, beginning

    for hours in range(24 * 40):
        for minute in (0, 59):
            told = datetime(2026, 11, 3, minute=minute, tzinfo=UTC) + timedelta(hours=hours)
            begin = beginning(told)
            assert timedelta(0) <= told - (begin + STORY) < timedelta(days=3)
            assert (begin.hour, begin.minute, begin.toordinal() % 3) == (9, 0, 0)
