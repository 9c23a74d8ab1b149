"""Noticing who feels for the edge of the list, and leaving ordinary traffic alone."""

import numpy as np
import pytest

from strandline.hotline.matchservice.models import Alarm
from strandline.hotline.matchservice.probing import Asked, Watch

WINDOW = 86_400
RADIUS = 31
Kind = Alarm.Kind


def flipped(bits, count, random):
    turned = bits.copy()
    turned[random.choice(256, count, replace=False)] ^= 1
    return turned


class Prober:
    """Asks with one key about variants of one listed picture, among other pictures."""

    def __init__(self, folder, random, *, others=0, key=3, listed=True, watch=None):
        self.random, self.others, self.key = random, others, key
        self.target = random.integers(0, 2, 256, dtype=np.uint8)
        self.watch = watch or Watch(folder, "secret", WINDOW)
        self.listed, self.asked, self.moment = listed, 0, 1e6

    def ask(self, bits, group=0):
        """Whether it is listed, and what was noticed."""
        self.asked, self.moment = self.asked + 1, self.moment + 1
        distance = int((bits != self.target).sum())
        found = self.listed and distance <= RADIUS
        call = [Asked(self.random.bytes(32), None, 0, number + 1) for number in range(self.others)]
        raw = np.packbits(bits).tobytes()
        call.append(Asked(raw, 5 if found else None, distance if found else 0, group))
        return found, self.watch.see(self.key, call, self.moment)


def outward_walk(prober):
    """Turn two bits more as long as the picture is found: how most would go about it."""
    bits, seen = prober.target, None
    while seen is None and prober.asked < 200:
        further = flipped(bits, 2, prober.random)
        found, seen = prober.ask(further)
        bits = further if found else bits
    return seen


def binary_searches(prober):
    """Look for the edge in one direction after another."""
    seen = None
    while seen is None and prober.asked < 200:
        order = prober.random.permutation(256)
        low, high = 0, 80
        while high - low > 1 and seen is None:
            middle = (low + high) // 2
            bits = prober.target.copy()
            bits[order[:middle]] ^= 1
            found, seen = prober.ask(bits)
            low, high = (middle, high) if found else (low, middle)
    return seen


def fresh_variants(prober):
    """Another variant each time, all about as far away as the edge is."""
    seen = None
    while seen is None and prober.asked < 200:
        bits = flipped(prober.target, int(prober.random.integers(24, 40)), prober.random)
        _, seen = prober.ask(bits)
    return seen


@pytest.mark.parametrize("others", [0, 20, 200], ids="among {} others".format)
@pytest.mark.parametrize("attack", [outward_walk, binary_searches, fresh_variants])
def test_whoever_feels_for_the_edge_is_noticed_within_100_questions(
    attack, others, tmp_path, random
):
    prober = Prober(tmp_path, random, others=others)
    noticed = attack(prober)
    assert noticed is not None
    assert noticed.kind in {Kind.EDGE, Kind.ENTRY}
    assert prober.asked <= 100


def test_one_frame_films_hide_nothing(tmp_path, random):
    prober, seen = Prober(tmp_path, random), None
    while seen is None and prober.asked < 200:
        bits = flipped(prober.target, int(prober.random.integers(24, 40)), prober.random)
        _, seen = prober.ask(bits, group=prober.asked)
    assert seen is not None


def test_very_many_variants_of_any_picture_are_noticed(tmp_path, random):
    prober, seen = Prober(tmp_path, random, listed=False), None
    while seen is None and prober.asked < 400:
        bits = flipped(prober.target, int(random.integers(1, 12)), random)
        _, seen = prober.ask(bits)
    assert (seen.kind, seen.listed) == (Kind.VARIANTS, 0)


def test_the_same_picture_again_and_again_is_nothing(tmp_path, random):
    prober = Prober(tmp_path, random)
    near = flipped(prober.target, 20, random)
    for _ in range(300):
        assert prober.ask(near) == (True, None)


def test_the_frames_of_one_film_are_nothing(tmp_path, random):
    watch = Watch(tmp_path, "secret", WINDOW)
    scene = random.integers(0, 2, 256, dtype=np.uint8)
    frames = [
        np.packbits(flipped(scene, int(random.integers(0, 30)), random)).tobytes()
        for _ in range(1_000)
    ]
    listed = [
        Asked(raw, 5, 28, 0) if n % 2 else Asked(raw, None, 0, 0) for n, raw in enumerate(frames)
    ]
    for again in range(3):
        assert watch.see(3, listed, 1e6 + again) is None


def test_keys_are_watched_apart(tmp_path, random):
    watch = Watch(tmp_path, "secret", WINDOW)
    prober = Prober(tmp_path, random, watch=watch)
    for number in range(60):
        prober.key = number
        bits = flipped(prober.target, int(random.integers(24, 40)), random)
        assert prober.ask(bits)[1] is None


def test_several_processes_count_together(tmp_path, random):
    """Each call goes to another process than the one before."""
    watches = [Watch(tmp_path, "secret", WINDOW) for _ in range(4)]
    prober, seen = Prober(tmp_path, random), None
    while seen is None and prober.asked < 100:
        prober.watch = watches[prober.asked % 4]
        bits = flipped(prober.target, int(random.integers(24, 40)), random)
        _, seen = prober.ask(bits)
    assert seen is not None


def test_what_was_asked_is_forgotten_with_its_window(tmp_path, random):
    prober = Prober(tmp_path, random)
    for _ in range(20):
        assert prober.ask(flipped(prober.target, 28, random))[1] is None
    first = set(tmp_path.iterdir())
    prober.moment += WINDOW
    for _ in range(20):
        assert prober.ask(flipped(prober.target, 28, random))[1] is None
    assert not first & set(tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_that_was_asked_lies_on_the_disk(tmp_path, random):
    watch = Watch(tmp_path, "secret", WINDOW)
    asked = [Asked(random.bytes(32), 17, 3, n) for n in range(10)]
    watch.see(3, asked, 1e6)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for each in asked:
        for start in range(0, 32, 8):
            assert each.raw[start : start + 8] not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_another_secret_counts_elsewhere(tmp_path):
    raws = np.arange(32, dtype=np.uint8).reshape(1, 32)
    cells = [
        Watch(tmp_path / secret, secret, WINDOW)._cells(raws, np.uint64(1)).tolist()
        for secret in ("one", "two")
    ]
    assert cells[0] != cells[1]


def uploads(random, count, *, pictures, listed):
    """A platform's uploads: some pictures often, most once; as they are, recompressed, or edited.

    A twentieth is altered by 14 to 60 bits, as crops and captions do; one picture in ``listed`` is
    on the list, none of the 50 most popular among them.
    """
    base = random.integers(0, 2, (pictures, 256), dtype=np.uint8)
    popular = np.minimum(random.zipf(1.2, count) - 1, pictures - 1)
    which = np.where(random.random(count) < 0.3, popular, random.integers(0, pictures, count))
    for number in which.tolist():
        how, bits, distance = random.random(), base[number], 0
        if how > 0.95:
            distance = int(random.integers(14, 60))
            bits = flipped(bits, distance, random)
        elif how > 0.45:  # by one of a dozen usual programs
            program = np.random.default_rng(number * 12 + int(random.integers(12)))
            distance = int(program.integers(2, 13))
            bits = flipped(bits, distance, program)
        found = number > 50 and number % listed == 0 and distance <= RADIUS
        yield np.packbits(bits).tobytes(), number if found else None, distance if found else 0


@pytest.mark.parametrize("seed", range(3))
def test_ordinary_traffic_raises_no_alarm(seed, tmp_path):
    """Enough to see a threshold slip; docs/match-api.md says what many more came to."""
    random = np.random.default_rng(seed)
    watch = Watch(tmp_path, "secret", WINDOW)
    call, alarms = [], 0
    for raw, entry, distance in uploads(random, 20_000, pictures=7_000, listed=500):
        call.append(Asked(raw, entry, distance, len(call)))
        if len(call) == 500:
            alarms += watch.see(7, call, 1e6) is not None
            call = []
    assert alarms == 0
