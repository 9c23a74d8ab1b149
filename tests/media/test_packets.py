"""Planning which packets to decode, on packets made up."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from strandline.media.packets import Planner, Scale, Step

MILLISECONDS = Scale(0, 1, 1000)


@dataclass(frozen=True)
class Made:
    pts: int | None
    is_keyframe: bool = False
    duration: int | None = 100
    size: int = 1


def film(count, *, step=100, key_every=10):
    return [Made(number * step, number % key_every == 0) for number in range(count)]


def planned(packets, first=0, stop=None):
    planner = Planner(MILLISECONDS, first, stop)
    return list(planner.steps(packets)), planner


def test_only_the_frame_at_each_second_is_decoded_when_all_are_key_frames():
    steps, planner = planned(film(95, key_every=1))
    assert [packet.pts for packet, _ in steps] == list(range(0, 9001, 1000))
    assert planner.end == 9500


def test_decoding_begins_at_the_key_frame_before_the_mark():
    steps, _ = planned(film(45, key_every=15), first=2, stop=3)
    assert [packet.pts for packet, _ in steps] == [1500, 1600, 1700, 1800, 1900, 2000]
    assert steps[0][1] is Step.RESTART
    assert {step for _, step in steps[1:-1]} == {Step.IF_REFERRED}
    assert steps[-1][1] is Step.DECODE


def test_a_frame_shown_for_seconds_is_planned_once():
    steps, _ = planned([Made(0, is_keyframe=True), Made(200), Made(7500), Made(7600), Made(8200)])
    wanted = [packet.pts for packet, step in steps if step is not Step.IF_REFERRED]
    assert wanted == [0, 200, 7600]


def test_before_the_first_frame_stands_the_first_frame():
    steps, _ = planned([Made(400, is_keyframe=True), Made(500), Made(600)])
    assert steps[0] == (Made(400, is_keyframe=True), Step.DECODE)


def test_without_times_everything_is_decoded():
    packets = [Made(None, number == 0) for number in range(30)]
    steps, planner = planned(packets)
    assert planner.gave_up
    assert [packet for packet, _ in steps] == packets
    assert {step for _, step in steps} == {Step.DECODE}


def test_where_the_clock_jumps_the_rest_is_decoded():
    packets = film(60) + [Made(packet.pts, packet.is_keyframe) for packet in film(60)]
    steps, planner = planned(packets)
    assert planner.gave_up
    assert [packet for packet, _ in steps][-59:] == packets[-59:]


def test_a_frame_an_hour_ahead_is_a_jump():
    assert planned([*film(60), Made(10**10)])[1].gave_up


def test_a_film_that_would_need_much_memory_to_plan_is_decoded_whole():
    steps, planner = planned(film(9000, step=0, key_every=10**6))
    assert planner.gave_up
    assert len(steps) == 9000


@given(
    gaps=st.lists(st.integers(1, 4000), min_size=1, max_size=80),
    keys=st.sets(st.integers(0, 79)),
    delay=st.integers(0, 4),
    first=st.integers(0, 20),
)
def test_the_frame_on_screen_at_every_mark_is_decoded_with_all_since_its_key_frame(
    gaps, keys, delay, first
):
    times, now = [0], 0
    for gap in gaps:
        now += gap
        times.append(now)
    shown = [Made(at, number == 0 or number in keys, 40) for number, at in enumerate(times)]
    stored = []  # between key frames, each group of frames is stored last first
    group = []
    for packet in shown:
        if packet.is_keyframe or len(group) > delay:
            stored += group[::-1]
            group = []
        if packet.is_keyframe:
            stored.append(packet)
        else:
            group.append(packet)
    stored += group[::-1]
    steps, planner = planned(stored, first)
    assert not planner.gave_up
    sent = [packet for packet, _ in steps]
    for mark in range(first, times[-1] // 1000 + 1):
        wanted = max((p for p in shown if p.pts <= mark * 1000), key=lambda p: p.pts)
        place = stored.index(wanted)
        key = max(n for n in range(place + 1) if stored[n].is_keyframe)
        needed = stored[key : place + 1]
        assert [packet for packet in needed if packet in sent] == needed
        assert dict(steps)[wanted] is not Step.IF_REFERRED
