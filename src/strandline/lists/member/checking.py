"""Is a copy intact to the byte, complete for its scope, and current?"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from strandline.errors import ListRefused, StrandlineError
from strandline.lists.denied import is_denied, told
from strandline.lists.member.conditions import check_counts, check_date
from strandline.lists.member.holdings import HELD, Holdings, is_statement, listing, settled
from strandline.lists.member.innocence import Known
from strandline.lists.member.innocent import held_innocent
from strandline.lists.member.layout import (
    HASHES,
    INCOMING,
    INNOCENT,
    LOG,
    SCOPE,
    STORE,
    SUBSCRIPTION,
    TRUST,
    Layout,
)
from strandline.lists.member.seen_log import Keys
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.editions import index_path
from strandline.lists.published.innocent_note import InnocentNote
from strandline.lists.published.manifests import Manifest
from strandline.lists.published.reading import check_file
from strandline.lists.state import State
from strandline.lists.trust.refusals import shown

_TRUST = {"pinned.root.json", "timestamp.json", "snapshot.json", "targets.json", "root_history"}
_TIMES = 3


@dataclass(frozen=True)
class Verified:
    """A copy that is as it was published."""

    manifest: Manifest
    #: Classes held, and those of the edition; the same without a scope.
    classes: int
    classes_in_all: int
    #: Name by which the publisher knows this member; None without a scope.
    member: str | None
    files: int
    bytes: int
    #: When it stops being current, unless it is synced.
    until: datetime
    #: The note of innocent pictures; None where the publisher gave none.
    innocent: InnocentNote | None = None
    #: Entries that are innocent themselves by that note: it hides nothing of them.
    contested: tuple[int, ...] = ()
    #: A sentence, while the edition is held to be certified and is not: nothing is answered from
    #: it. Empty when it is certified.
    awaiting: str = ""


@told()
def check(directory: Path, *, now: datetime) -> Verified:
    """Check every file of a copy; raises ListRefused with the first that is not as it should be.

    ``incoming/``, where an interrupted sync leaves its work, is looked into only for what the sync
    has not moved into place yet.
    """
    layout = Layout(directory)
    for attempt in range(_TIMES):
        state = State.open(layout.store, even_withheld=True)
        edition = state.edition
        try:
            return _check(layout, state, now)
        except ListRefused as error:
            # A sync may have put another edition in place meanwhile.
            now_held = State.open(layout.store, even_withheld=True).edition
            if is_denied(error) or now_held == edition or attempt == _TIMES - 1:
                raise
    raise AssertionError


def _check(layout: Layout, state: State, now: datetime) -> Verified:
    directory = layout.directory
    Subscription.read(directory)
    holdings = Holdings.open(layout, state.edition)
    for name in sorted(holdings.trusted()):
        if not (directory / name).is_file():
            raise _missing(directory / name)
    until = _check_current(holdings, now)
    manifest, scope = holdings.believed.manifest, holdings.scope
    for path, data in holdings.believed.proofs().items():
        if layout.held(path) != data:
            raise differs(directory / path)
    belonging = settled(layout) or {}
    _check_statements(holdings, belonging)
    innocent = check_innocent(holdings, belonging)
    for entry_class, index in holdings.indexes.items():
        if layout.held(index_path(manifest.edition, entry_class)) != index.text().encode():
            raise differs(directory / index_path(manifest.edition, entry_class))
    count = size = 0
    for file in holdings.files():
        try:
            size += len(check_file(file, layout.read(file.path)))
        except ListRefused as error:
            raise ListRefused(f"{error.message} Sync again.") from error
        count += 1
    _check_store(state, holdings)
    _check_extra(layout, holdings, belonging)
    counts = {e: (c.live + c.quarantined, c.quarantined) for e, c in state.counts().items()}
    check_counts(manifest, scope, counts)
    note = holdings.scope_note
    return Verified(
        manifest,
        len(holdings.indexes),
        len(manifest.classes),
        note.member if note else None,
        count,
        size,
        until,
        innocent,
        tuple(Known(innocent.pictures).against(state)) if innocent else (),
        holdings.believed.awaiting or state.withheld,
    )


def _check_current(holdings: Holdings, now: datetime) -> datetime:
    """Whether this is still the newest, as far as its publisher and witnesses said."""
    expires = holdings.kept.expires
    if expires is None or expires <= now:
        when = shown(expires) if expires else "never"
        raise ListRefused(
            f"The copy is not current: its publisher's last statement was good until {when}, and "
            f"here it is {shown(now)}. Sync again."
        )
    check_date(holdings.believed.manifest, now)
    keys = Keys.of(holdings.kept.policy)
    try:
        opened = keys.open(holdings.log.note, now)
    except StrandlineError as error:
        raise ListRefused(f"The copy is not current. {error.message} Sync again.") from error
    if not keys.quorum:
        return expires
    times = sorted(opened.cosigned.values(), reverse=True)
    return min(expires, times[keys.quorum - 1] + keys.fresh)


def _check_store(state: State, holdings: Holdings) -> None:
    state.verify()
    if holdings.believed.awaiting and not state.withheld:
        raise ListRefused(
            f"{holdings.believed.awaiting} The copy answers from it all the same. Sync again."
        )
    if not state.comes_to(holdings.steps()):
        raise ListRefused(
            f"{state.directory} is not what the signed files come to. Nothing was changed; sync "
            "again."
        )


def _check_statements(holdings: Holdings, belonging: Mapping[str, str | None]) -> None:
    """Manifests and certificates are as they were settled, or as trust names them since."""
    layout = holdings.layout
    for path in {*belonging, *holdings.kept.targets}:
        data = layout.held(path) if is_statement(path) else None
        if data is None or holdings.names(path, data):
            continue
        if belonging.get(path) != hashlib.sha256(data).hexdigest():
            raise differs(layout.directory / path)


def check_innocent(holdings: Holdings, belonging: Mapping[str, str | None]) -> InnocentNote | None:
    """The note of innocent pictures, when it is the one that was settled; raises ListRefused."""
    layout = holdings.layout
    note = held_innocent(layout, holdings.kept.policy)
    data = layout.held(INNOCENT)
    # A sync that was stopped may have put another one in place and not said so yet.
    digest = hashlib.sha256(data).hexdigest() if data is not None else None
    if not layout.interrupted and belonging.get(INNOCENT) != digest:
        raise differs(layout.directory / INNOCENT)
    return note


def _check_extra(layout: Layout, holdings: Holdings, belonging: Mapping[str, str | None]) -> None:
    directory = layout.directory
    needed = holdings.derived()
    allowed = {*needed, *belonging, *holdings.kept.targets}
    top = {SUBSCRIPTION, HELD, SCOPE, INNOCENT, TRUST, LOG, STORE, INCOMING}
    for path in _walk(directory):
        name = path.relative_to(directory).as_posix()
        first = name.split("/")[0]
        if first in {STORE, INCOMING} and not path.is_symlink():
            continue
        parts = name.split("/")
        known = (
            name in top
            or name in allowed
            or (first == LOG and parts[1:] in (["checkpoint"], ["hashes"]))
            or (first == TRUST and len(parts) == 2 and parts[1] in _TRUST)
            or (first == TRUST and len(parts) == 3 and _is_root(holdings, parts[2]))
            or (path.is_dir() and any(each.startswith(f"{name}/") for each in allowed))
            or (layout.interrupted and first in {"editions", "snapshots", TRUST})
        )
        if not known or path.is_symlink():
            raise ListRefused(
                f"{path} does not belong to the copy. Nothing was changed: remove it."
            )
    if layout.interrupted:
        return
    more = belonging.keys() - needed
    if layout.held(HELD) != listing(belonging) or not (
        needed - holdings.trusted() <= belonging.keys() and all(map(_may_be_more, more))
    ):
        raise differs(directory / HELD)
    if (layout.held(HASHES) or b"") != holdings.log.encoded:
        raise differs(directory / HASHES)
    for name in belonging:
        if not (directory / name).is_file():
            raise _missing(directory / name)


def _may_be_more(path: str) -> bool:
    """Whether a file may belong that the edition held does not need: what was said of others."""
    statement = is_statement(path.removesuffix(".proof"))
    return statement or path == INNOCENT or path.startswith(f"{TRUST}/")


def _is_root(holdings: Holdings, name: str) -> bool:
    version = name.removesuffix(".root.json")
    return version.isdigit() and 1 <= int(version) <= holdings.kept.root


def _walk(directory: Path) -> Iterator[Path]:
    """Everything in the copy, symbolic links not followed."""
    for path in sorted(directory.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _missing(path: Path) -> ListRefused:
    return ListRefused(f"{path} is missing. Nothing was changed; sync again.")


def differs(path: Path) -> ListRefused:
    """The refusal of a file of the copy that is not as it was published."""
    return ListRefused(f"{path} is not as it was published. Nothing was changed; sync again.")
