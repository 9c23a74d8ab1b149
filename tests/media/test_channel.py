import os
import time

import pytest

from strandline.media.channel import Channel, ChannelClosedError, DeadlinePassedError


@pytest.fixture
def pipes():
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            assert descriptor == writing  # a test closed it on purpose


def test_a_pipe_that_says_nothing_is_not_waited_for_beyond_the_deadline(pipes):
    channel = Channel(*pipes)
    started = time.monotonic()
    channel.deadline = started + 0.1
    with pytest.raises(DeadlinePassedError):
        channel.take(1)
    assert 0.1 <= time.monotonic() - started < 2


def test_a_pipe_that_takes_nothing_is_not_waited_for_beyond_the_deadline(pipes):
    channel = Channel(*pipes)
    channel.deadline = time.monotonic() + 0.1
    with pytest.raises(DeadlinePassedError):
        channel.send([b"x" * 2**22])


def test_bytes_that_trickle_do_not_extend_the_deadline(pipes):
    channel = Channel(*pipes)
    channel.deadline = time.monotonic() + 0.1
    channel.send([b"half"])
    with pytest.raises(DeadlinePassedError):
        channel.take(8)


def test_the_end_of_the_other_side_is_told(pipes):
    channel = Channel(*pipes)
    channel.deadline = time.monotonic() + 5
    os.close(pipes[1])
    with pytest.raises(ChannelClosedError):
        channel.take(1)
