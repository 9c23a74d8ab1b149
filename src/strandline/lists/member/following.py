"""A member's sync: from what is held to the newest edition for which every condition holds."""

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from strandline.errors import ListRefused, NotPublished, SourceFailed, StrandlineError
from strandline.lists import disk
from strandline.lists.member.applying import Pages
from strandline.lists.member.conditions import (
    MAX_NOTE,
    MAX_PROOF,
    Believed,
    believe,
    check_date,
    check_history,
    manifest_path,
    open_scope,
)
from strandline.lists.member.holdings import (
    HELD,
    Holdings,
    held_edition,
    last_seen,
    listing,
    scope_note,
    settled,
)
from strandline.lists.member.innocent import look as look_for_innocent
from strandline.lists.member.layout import (
    CHECKPOINT,
    HASHES,
    INCOMING,
    INNOCENT,
    SCOPE,
    Layout,
    sole,
)
from strandline.lists.member.seen_log import Keys, SeenLog, look
from strandline.lists.member.sources import Progress, Source
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.classes import Scope
from strandline.lists.published.editions import edition_path
from strandline.lists.published.manifests import Manifest, parse_manifest
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.trust import updating
from strandline.lists.trust.policy import Policy
from strandline.transparency.merkle import leaf_hash

#: Bytes of a scope note.
MAX_SCOPE = 65_536


@dataclass(frozen=True)
class Synced:
    """What a sync came to."""

    #: The edition now held.
    manifest: Manifest
    #: False when it was held already.
    changed: bool
    #: Bytes of pages that were fetched.
    fetched: int
    #: Why a newer edition that is published was not applied, if there is one.
    waiting: str | None = None
    #: Why the note of innocent pictures that is published was not taken, if it was not.
    innocent: str | None = None
    #: A sentence, while the edition held is one to be certified and is not: nothing is answered
    #: from it. Empty when it is certified.
    awaiting: str = ""


def follow(
    directory: Path, source: Source, *, now: datetime, progress: Progress | None = None
) -> Synced:
    """Bring the copy in ``directory`` to the newest edition for which all conditions hold.

    What was fetched before a kill or a cut is not fetched again, page by page. Raises ListRefused,
    with the edition held before still in use, when there is none that may be applied.
    """
    layout = Layout(directory)
    if not directory.is_dir():
        raise ListRefused(f"{directory} is not subscribed to a list. Begin: strandline list init")
    with sole(directory):
        edition = held_edition(layout)
        kept = f"Edition {edition} is kept and stays in use." if edition else "No list is held yet."
        clean = _recover(layout, edition)
        try:
            disk.make_folder(directory / INCOMING)
            synced = _Sync(layout, source, now, progress, edition).run()
        except StrandlineError as error:
            broken = isinstance(error, SourceFailed) or isinstance(error.__cause__, SourceFailed)
            if clean and not broken:
                _resettle(layout, edition)
                layout.finish()
            # Otherwise what is complete stays in ``incoming``, for the next sync.
            kind = SourceFailed if broken else ListRefused
            raise kind(f"{error.message} {kept}") from error
        except OSError as error:
            raise ListRefused(
                f"The list could not be written to {directory}: {error.strerror}. {kept}"
            ) from error
        layout.finish()
        return synced


def _recover(layout: Layout, edition: int | None) -> bool:
    """Move into place what an interrupted sync left for the edition held; whether that was done."""
    if edition is None or not layout.interrupted:
        return True
    try:
        _settle(Holdings.open(layout, edition))
    except ListRefused:
        return False
    return True


def _settle(holdings: Holdings) -> None:
    layout = holdings.layout
    belonging = holdings.settling()
    layout.settle(set(belonging))
    layout.put(HELD, listing(belonging))


def _resettle(layout: Layout, edition: int | None) -> None:
    """After a refusal: what was fetched of other editions belongs only while trust names it."""
    if edition is not None:
        with contextlib.suppress(ListRefused):
            _settle(Holdings.open(layout, edition))


class _Sync:
    """One sync."""

    def __init__(
        self,
        layout: Layout,
        source: Source,
        now: datetime,
        progress: Progress | None,
        edition: int | None,
    ) -> None:
        self._layout = layout
        self._source = source
        self._now = now
        self._edition = edition
        self._targets: Mapping[str, bytes] = {}
        self._pages = Pages(layout, source, progress)

    def run(self) -> Synced:
        layout = self._layout
        trusted = updating.update(
            self._source.read, layout.trust, now=self._now, held_file=layout.held
        )
        self._targets = trusted.targets
        # What is said anew of the edition held takes the place of the old when it is believed.
        own = f"{edition_path(self._edition)}/" if self._edition is not None else "-"
        self._put_targets(lambda path: not path.startswith(own) or layout.held(path) is None)
        policy = trusted.policy
        log = look(self._source.read, Keys.of(policy), last_seen(layout, policy), self._now)
        layout.put(HASHES, log.encoded)
        layout.put(CHECKPOINT, log.note.encode())
        note, plain, before = self._scope(policy)
        innocent = look_for_innocent(layout, policy, self._source.read, self._now)
        scope = note.scope if note else Scope()
        same = self._edition is not None and scope == (before.scope if before else Scope())
        refused: ListRefused | None = None
        for edition in self._offered():
            try:
                believed = self._believe(edition, policy, log, scope)
                if edition == self._edition:
                    self._put_targets(lambda _: True)
                changed = self._pages.apply(believed, scope, self._edition if same else None)
            except SourceFailed:
                raise
            except ListRefused as error:
                refused = refused or error
                continue
            if plain is not None:
                layout.put(SCOPE, plain)
            layout.put_or_remove(INNOCENT, innocent.plain)
            self._put_targets(lambda _: True)
            _settle(Holdings.open(layout, edition))
            if refused and not changed:
                raise refused
            waiting = refused.message if refused else None
            return Synced(
                believed.manifest,
                changed,
                self._pages.fetched,
                waiting,
                innocent.problem,
                believed.awaiting,
            )
        raise refused or ListRefused("The publisher has published no edition yet.")

    def _put_targets(self, wanted: Callable[[str], bool]) -> None:
        for path, data in self._targets.items():
            if wanted(path):
                self._layout.put(path, data)

    def _scope(self, policy: Policy) -> tuple[ScopeNote | None, bytes | None, ScopeNote | None]:
        """What this member may have, the note in its one form, and what it might have before."""
        before, known = None, True
        try:
            before = scope_note(self._layout, policy)
            known = before is not None
        except ListRefused:
            pass  # missing, damaged, or signed with a key that was replaced: had anew
        try:
            note = self._source.read(SCOPE, MAX_SCOPE)
        except NotPublished:
            if known:
                raise ListRefused(
                    "The publisher no longer says what this member may have. Ask the publisher."
                ) from None
            return None, None, None
        scope, plain = open_scope(note, policy, before)
        return scope, plain, before

    def _offered(self) -> list[int]:
        """Editions that are published, from the newest to the one held."""
        found = [re.fullmatch(r"editions/([0-9]{6})/manifest", path) for path in self._targets]
        offered = sorted((int(each[1]) for each in found if each), reverse=True)
        held = self._edition or 0
        if offered and offered[0] < held:
            raise ListRefused(
                f"The publisher offers edition {offered[0]}, older than edition {held}, which is "
                "held: an old copy is being served, by mistake or to hide entries."
            )
        return [each for each in offered if each >= held]

    def _believe(self, edition: int, policy: Policy, log: SeenLog, scope: Scope) -> Believed:
        note = self._targets[manifest_path(edition)]
        believed = believe(
            note,
            edition,
            policy,
            log,
            read=self._statement,
            scope=scope,
            certifying=Subscription.read(self._layout.directory).certifying,
        )
        check_date(believed.manifest, self._now)
        if self._edition is not None:
            held = self._held(self._edition, log)
            check_history(held, believed.manifest, self._statement, policy, scope)
        return believed

    def _held(self, edition: int, log: SeenLog) -> Manifest:
        """The manifest that is held, as it was logged; had anew when the disk lost it."""
        path = manifest_path(edition)
        digest = (settled(self._layout) or {}).get(path)
        for note in (self._layout.held(path), self._again(path)):
            if note is None or (digest and hashlib.sha256(note).hexdigest() != digest):
                continue
            if leaf_hash(note) in log.hashes:
                return parse_manifest(note.rpartition(b"\n\n")[0].decode() + "\n")
        raise ListRefused(
            f"The manifest of edition {edition}, which is held, is not in the transparency log as "
            "it is shown now, so nothing shows that what is offered follows from it. Ask the "
            "publisher why; a new copy, in a new folder, begins anew."
        )

    def _again(self, path: str) -> bytes | None:
        try:
            return self._statement(path)
        except NotPublished:
            return None

    def _statement(self, path: str) -> bytes:
        """A published statement: what the publisher's trust names, or a proof or older manifest."""
        if path in self._targets:
            return self._targets[path]
        if "/certificate." in path and not path.endswith(".proof"):
            raise NotPublished(f"There is no {path}.")
        return self._source.read(path, MAX_PROOF if path.endswith(".proof") else MAX_NOTE)
