"""A monitor: follows a log, reads every leaf once, and says what a careful reader would object to.

What it saw last is kept in a folder. A log that contradicts it is reported each time until a
person has looked; both signed states are kept there as evidence.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from strandline.errors import (
    LogDamaged,
    NoteRefused,
    ProofRefused,
    StrandlineError,
)
from strandline.transparency.checkpoints import (
    Checkpoint,
    OpenedCheckpoint,
    objection,
    open_checkpoint,
)
from strandline.transparency.cosignatures import CosignatureVerifier
from strandline.transparency.disk import write_file
from strandline.transparency.keys import Verifier
from strandline.transparency.log import CHECKPOINT
from strandline.transparency.tiles import Read, VerifiedTiles

STATE = "state.json"
EVIDENCE = "evidence"
#: A larger state that a witness saw longer ago than this should have been published.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Finding:
    """One thing to object to."""

    #: A word: ``fork``, ``rollback``, ``damaged``, ``unsigned``, ``uncosigned``, ``stale``,
    #: ``behind``, ``growth``, or one of whoever reads the leaves.
    kind: str
    sentence: str


#: Reads one leaf: its index and its bytes.
Take = Callable[[int, bytes], Iterable[Finding]]


@dataclass(frozen=True)
class Watch:
    """What a log is measured by."""

    log: Verifier
    witnesses: Sequence[CosignatureVerifier] = ()
    quorum: int = 0
    #: A log whose cosignatures are older is stale.
    fresh: timedelta = timedelta(hours=48)
    #: Leaves that may appear between two looks.
    most_leaves: int = 10_000


@dataclass
class Held:
    """What a monitor remembers between two looks."""

    #: The log's signed state that was seen last.
    note: str | None = None
    seen: datetime | None = None
    #: What the reader of leaves remembers; JSON.
    account: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Watched:
    """What one look came to."""

    findings: tuple[Finding, ...]
    #: What the log shows now, or None when that could not be believed.
    checkpoint: Checkpoint | None = None
    #: When each known witness cosigned.
    cosigned: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    #: Leaves that were new.
    added: int = 0
    #: The state to remember, when the log goes on from the one remembered.
    note: str | None = None


def load(directory: Path) -> Held:
    """What is remembered in ``directory``; nothing when it is new. Raises LogDamaged."""
    try:
        text = (directory / STATE).read_text("utf-8")
    except FileNotFoundError:
        return Held()
    try:
        state = json.loads(text)
        return Held(state["note"], datetime.fromisoformat(state["seen"]), dict(state["account"]))
    except (ValueError, KeyError, TypeError):
        raise LogDamaged(
            f"{directory / STATE} is not what the monitor wrote. It was kept; move it away to "
            "start anew, knowing that changes of the log before then will not be noticed."
        ) from None


def save(directory: Path, watched: Watched, account: dict[str, object], now: datetime) -> None:
    """Remember what was seen, unless it contradicts what is remembered."""
    if watched.note is None:
        return
    state = {"note": watched.note, "seen": now.astimezone(UTC).isoformat(), "account": account}
    write_file(directory / STATE, json.dumps(state, indent=1).encode())


def follow(
    read: Read,
    held: Held,
    watch: Watch,
    take: Take,
    now: datetime,
    *,
    elsewhere: Mapping[str, bytes] = MappingProxyType({}),
    evidence: Path | None = None,
) -> Watched:
    """Look at the log once and say what is wrong with it.

    ``elsewhere`` are signed states of the same log as others show it, by who shows it: its
    witnesses, mirrors. Notes that prove the log's misbehaviour are kept in ``evidence``.
    Raises what ``read`` raises when the log cannot be reached, NoteRefused when the remembered
    state is not that of the log with this key.
    """
    before = open_checkpoint(held.note, watch.log).checkpoint if held.note is not None else None
    opened = _signed_state(read, watch)
    if isinstance(opened, Finding):
        return Watched((opened,))
    wrong = objection(list(opened.cosigned.values()), watch.quorum, now, watch.fresh)
    findings = [Finding(*wrong)] if wrong else []
    shown = opened.checkpoint
    try:
        look = _Look(watch, now, opened, VerifiedTiles(read, shown.size, shown.root), evidence)
        contradiction = look.contradiction(before, held.note or "", "seen here before")
        if contradiction:
            return Watched((*findings, contradiction), shown, opened.cosigned)
        findings += filter(None, (look.compare(*other) for other in elsewhere.items()))
        start = before.size if before else 0
        for index, leaf in enumerate(look.tiles.leaves(start, shown.size), start):
            findings += take(index, leaf)
    except (LogDamaged, ProofRefused) as refused:
        findings.append(Finding("damaged", refused.message))
        return Watched(tuple(findings), shown, opened.cosigned)
    added = shown.size - start
    if before is not None and added > watch.most_leaves:
        findings.append(
            Finding(
                "growth",
                f"The log grew by {added} leaves since it was last looked at; more than "
                f"{watch.most_leaves} are not expected.",
            )
        )
    return Watched(tuple(findings), shown, opened.cosigned, added, opened.note)


def _signed_state(read: Read, watch: Watch) -> OpenedCheckpoint | Finding:
    """What the log shows, signed by its key; who cosigned is not judged yet."""
    try:
        return open_checkpoint(read(CHECKPOINT), watch.log, watch.witnesses)
    except FileNotFoundError:
        return Finding("unsigned", "The log publishes no checkpoint.")
    except NoteRefused as refused:
        return Finding("unsigned", f"The log's checkpoint fails: {refused.message}")


@dataclass(frozen=True)
class _Look:
    """One look at a log: its signed state, and tiles that hash to it."""

    watch: Watch
    now: datetime
    opened: OpenedCheckpoint
    tiles: VerifiedTiles
    evidence: Path | None

    def contradiction(self, older: Checkpoint | None, note: str, where: str) -> Finding | None:
        """What proves that the log showed two histories, if ``older``, signed in ``note``, does."""
        newer = self.opened.checkpoint
        if older is None:
            return None
        if newer.size < older.size:
            self._keep(note)
            return Finding(
                "rollback",
                f"The log has {newer.size} leaves, and a signed state {where} has {older.size}: "
                "leaves were taken back or are kept from you.",
            )
        try:
            newer.extends(older, self.tiles.consistency(older.size, newer.size))
        except ProofRefused:
            self._keep(note)
            return Finding(
                "fork",
                f"The log of {newer.size} leaves does not begin with the one of {older.size} "
                f"leaves {where}, and its key signed both: it shows two histories. Keep both "
                "signed states; they prove it.",
            )
        return None

    def compare(self, name: str, note: bytes) -> Finding | None:
        """What is wrong between the log's state and the one that ``name`` shows."""
        try:
            opened = open_checkpoint(note, self.watch.log, self.watch.witnesses)
        except StrandlineError as refused:
            return Finding("unsigned", f"{name} shows no state of this log: {refused.message}")
        other, shown = opened.checkpoint, self.opened.checkpoint
        if other.size <= shown.size:
            return self.contradiction(other, opened.note, f"at {name}")
        when = max(opened.cosigned.values(), default=None)
        if when is not None and self.now - when < _PATIENCE:
            return None  # about to be published
        return Finding(
            "behind",
            f"{name} has seen {other.size} leaves of the log, and it publishes {shown.size}: the "
            "newest are kept back.",
        )

    def _keep(self, other: str) -> None:
        if self.evidence is not None:
            for note in (other, self.opened.note):
                name = f"{hashlib.sha256(note.encode()).hexdigest()[:16]}.checkpoint"
                write_file(self.evidence / name, note.encode())
