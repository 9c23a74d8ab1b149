"""Reading a delivery: what taking it in would do, said before anything is done."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from strandline.formats import FormatRefused, HashRow, Losses, Unreadable, read
from strandline.formats.vics_categories import read_tables
from strandline.hotline import clock
from strandline.hotline.audit import chain
from strandline.hotline.errors import ExchangeRefused, LeaseLost
from strandline.hotline.exchange import files
from strandline.hotline.exchange.comparing import Compared, Standing, compare
from strandline.hotline.exchange.meanings import Meanings, word_of
from strandline.hotline.exchange.models import Delivery
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

#: Rows compared at once.
AT_ONCE = 2_000
#: Rows of each standing that are shown, and words that the meanings do not name.
MOST_SAMPLES = 8
MOST_WORDS = 100
#: Standings of which a person wants to see examples.
_SHOWN = tuple(standing for standing in Standing if standing is not Standing.KNOWN)
#: What identifies a row, the strongest first.
_STRENGTH = ("sha256", "sha1", "md5", "pdq", "photodna")
_TOLD_APART = np.dtype("V16")


def preview(delivery: Delivery, tools: Tools, now: datetime) -> None:
    """Read a delivery and say what it would bring; the list stays as it is."""
    files.sweep()
    view = _View(delivery)
    try:
        with files.open_file(delivery.pk, delivery.sha256) as stream:
            rows = read(delivery.format, stream, view.losses, **reader_options(delivery, tools))
            for some in portions(rows, AT_ONCE):
                view.add(some)
                keep_lease(delivery, rows=view.rows)
    except (FormatRefused, ExchangeRefused) as refused:
        _refuse(delivery, refused.message, now)
        return
    with due.finish(delivery):
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.PREVIEWED,
            rows=view.rows,
            counts=view.counted,
            # Those of a fetched one were met on the way here.
            losses=list(dict.fromkeys([*delivery.losses, *view.losses.sentences])),
            samples=view.samples,
            unknown_words=dict(view.words.most_common(MOST_WORDS)),
        )
        _record(delivery, "preview", now, rows=view.rows, counts=view.counted)


def reader_options(delivery: Delivery, tools: Tools) -> dict[str, Any]:
    """What the reader of this delivery's format wants to know.

    Raises:
        ExchangeRefused: the hotline's own table of VICS categories cannot be read.
    """
    if delivery.format != "vics":
        return {}
    options: dict[str, Any] = {"country": delivery.country}
    own = tools.config.home / "vics-categories.json"
    if own.exists():
        try:
            options["tables"] = read_tables(own.read_text(encoding="utf-8"))
        except (FormatRefused, OSError, UnicodeDecodeError) as error:
            raise ExchangeRefused("file", f"{own} cannot be read: {error}") from None
    return options


def keep_lease(delivery: Delivery, **columns: object) -> None:
    """Say how far it is, and that this worker is still at it.

    Raises:
        LeaseLost: another worker has taken over.
    """
    held = Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt).update(
        lease_until=clock.now() + due.LEASE, **columns
    )
    if not held:
        raise LeaseLost(f"{delivery!r}: another worker took over.")


def _refuse(delivery: Delivery, why: str, now: datetime) -> None:
    with due.finish(delivery):
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.REFUSED, refusal=why[:2000]
        )
        _record(delivery, "refuse", now, why=why[:500])
    files.remove(delivery.pk)


def _record(delivery: Delivery, verb: str, now: datetime, **detail: object) -> None:
    chain.record(
        at=now,
        actor="worker",
        action=f"exchange.{verb}",
        subject=delivery.subject,
        detail=detail,
    )


class _View:
    """What a preview adds up, in memory that hardly grows with the file."""

    def __init__(self, delivery: Delivery) -> None:
        self.rows = 0
        self.losses = Losses()
        self.words: Counter[str] = Counter()
        self._meanings = Meanings(delivery.source)
        self._counts: Counter[Standing] = Counter()
        self._samples: dict[Standing, list[dict[str, str]]] = {}
        #: 16 bytes for each new row, by what it is recognised: a file may repeat itself.
        self._new: list[np.ndarray[Any, np.dtype[np.void]]] = []
        # Whoever made the file cannot know the key, so cannot make rows that only seem the same.
        self._key = secrets.token_bytes(32)

    def add(self, rows: list[HashRow | Unreadable]) -> None:
        self.rows += len(rows)
        compared = compare(rows, self._meanings, self.losses)
        new = []
        for each in compared:
            self._counts[each.standing] += 1
            if each.standing is Standing.NEW and isinstance(each.row, HashRow):
                new.append(self._told_apart(each.row))
            if each.standing is Standing.UNNAMED and isinstance(each.row, HashRow):
                self._count_word(word_of(each.row))
            if each.standing in _SHOWN:
                shown = self._samples.setdefault(each.standing, [])
                if len(shown) < MOST_SAMPLES:
                    shown.append(_sample(each))
        self._new.append(np.frombuffer(b"".join(new), _TOLD_APART))

    @property
    def counted(self) -> dict[str, int]:
        """How many rows of each standing, repeated ones told apart from new ones."""
        counts = Counter({standing.value: count for standing, count in self._counts.items()})
        keys = np.concatenate([*self._new, np.empty(0, _TOLD_APART)])
        repeated = len(keys) - len(np.unique(keys))
        counts[Standing.NEW] -= repeated
        counts[Standing.REPEATED] += repeated
        return {name.value: counts[name] for name in Standing if counts[name]}

    @property
    def samples(self) -> list[dict[str, str]]:
        return [sample for standing in _SHOWN for sample in self._samples.get(standing, ())]

    def _told_apart(self, row: HashRow) -> bytes:
        name = next(name for name in _STRENGTH if getattr(row, name))
        said = f"{name} {getattr(row, name)}".encode()
        return hashlib.blake2b(said, digest_size=16, key=self._key).digest()

    def _count_word(self, word: str) -> None:
        if word in self.words or len(self.words) < 10 * MOST_WORDS:
            self.words[word[:200]] += 1


def _sample(each: Compared) -> dict[str, str]:
    sample = {"standing": each.standing.value, "place": each.row.place, "why": each.why}
    if isinstance(each.row, HashRow):
        sample["hash"] = shortened(each.row)
        sample["category"] = each.row.category[:60]
    return sample


def shortened(row: HashRow) -> str:
    """The strongest hash of a row, cut so that it identifies nothing: ``sha256 0123abcd…``."""
    for name in _STRENGTH:
        if value := getattr(row, name):
            return f"{name} {value[:8]}…"
    return ""


def rows_of(delivery: Delivery, tools: Tools) -> Iterator[HashRow | Unreadable]:
    """The rows of a delivery that was read before, once more.

    Raises:
        ExchangeRefused: its file is gone or was changed.
        FormatRefused: it cannot be read any more.
    """
    with files.open_file(delivery.pk, delivery.sha256) as stream:
        yield from read(delivery.format, stream, Losses(), **reader_options(delivery, tools))
