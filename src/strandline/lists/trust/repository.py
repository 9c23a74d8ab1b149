"""The publisher's side of trust: naming what is published now, and saying so again while it holds.

``metadata/N.root.json`` comes from a ceremony. This module writes what the online keys sign, in an
order that leaves every reader a whole state at any moment: the files named, ``N.targets.json``,
``N.snapshot.json``, and ``timestamp.json`` last, which alone makes them count.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from securesystemslib.signer import Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from strandline.errors import KeyRefused, ListRefused
from strandline.lists.trust import metadata as trust
from strandline.lists.trust.keys import open_signer
from strandline.lists.trust.metadata import FOLDER, ROOT, SNAPSHOT, TARGETS, TIMESTAMP, name_of

#: How long what these keys sign is good for. The timestamp's own is the policy's ``fresh_hours``.
LIFETIMES: Mapping[str, timedelta] = {SNAPSHOT: timedelta(days=30), TARGETS: timedelta(days=90)}


@dataclass(frozen=True)
class OnlineKeys:
    """The three keys at work every day, each its own."""

    targets: Signer
    snapshot: Signer
    timestamp: Signer

    @classmethod
    def open(cls, *, targets: str, snapshot: str, timestamp: str) -> Self:
        """Open them at these places (see ``keys.open_signer``); raises KeyRefused."""
        return cls(open_signer(targets), open_signer(snapshot), open_signer(timestamp))

    def of(self, role: str) -> Signer:
        """The key of a role."""
        return {TARGETS: self.targets, SNAPSHOT: self.snapshot, TIMESTAMP: self.timestamp}[role]


@dataclass(frozen=True)
class Released:
    """What members are told now."""

    root: int
    targets: int
    snapshot: int
    timestamp: int
    #: When members stop believing it unless a heartbeat comes.
    expires: datetime


class Repository:
    """The signed files of trust in a published folder. Raises KeyRefused when they cannot be made.

    ``directory`` is the list's folder; ``metadata/`` below it must hold a root.
    """

    def __init__(self, directory: str | Path, keys: OnlineKeys) -> None:
        self.directory = Path(directory)
        self._keys = keys

    def release(self, targets: Mapping[str, bytes], now: datetime) -> Released:
        """Say that ``targets`` (path below the folder → bytes) and nothing else is published now.

        Writes those files that are not there yet. After a kill the same call does what is left;
        when nothing changed it is a heartbeat.
        """
        with self._alone():
            root = self._root(now)
            held = self._held()
            for path, data in targets.items():
                self._place(trust.check_target_path(path), data, held)
            named = {path: _named(path, data) for path, data in targets.items()}
            return self._publish(root, held, named, now)

    def heartbeat(self, now: datetime) -> Released:
        """Sign again that what is published is still the newest; to be called well within its time.

        Whatever is past half its life, or not signed by the keys that root names now, is made anew.
        """
        with self._alone():
            root = self._root(now)
            held = self._held()
            return self._publish(root, held, dict(held.targets.signed.targets), now)

    @property
    def root(self) -> Root:
        """The newest root in the folder."""
        return self._newest_root()

    def _publish(
        self, root: Root, held: "_Held", named: dict[str, TargetFile], now: datetime
    ) -> Released:
        targets, snapshot = held.targets, held.snapshot
        if targets.signed.targets != named or _worn(root, TARGETS, targets, now):
            signed = Targets(
                self._next(TARGETS, targets.signed.version),
                expires=_until(now, LIFETIMES[TARGETS]),
                targets=named,
            )
            targets = self._sign(TARGETS, signed)
        meta = MetaFile.from_data(targets.signed.version, targets.to_bytes(), ["sha256"])
        said = snapshot.signed.meta.get(name_of(TARGETS))
        if said != meta or _worn(root, SNAPSHOT, snapshot, now):
            signed_snapshot = Snapshot(
                self._next(SNAPSHOT, snapshot.signed.version),
                expires=_until(now, LIFETIMES[SNAPSHOT]),
                meta={name_of(TARGETS): meta},
            )
            snapshot = self._sign(SNAPSHOT, signed_snapshot)
        signed_timestamp = Timestamp(
            held.timestamp.signed.version + 1,
            expires=_until(now, timedelta(hours=trust.policy_of(root).fresh_hours)),
            snapshot_meta=MetaFile.from_data(
                snapshot.signed.version, snapshot.to_bytes(), ["sha256"]
            ),
        )
        timestamp = self._sign(TIMESTAMP, signed_timestamp)
        return Released(
            root.version,
            targets.signed.version,
            snapshot.signed.version,
            timestamp.signed.version,
            timestamp.signed.expires,
        )

    def _place(self, path: str, data: bytes, held: "_Held") -> None:
        file = self.directory / path
        released = held.targets.signed.targets.get(path)
        if released is not None and released != _named(path, data):
            raise KeyRefused(
                f"{path} was released with other content. Members hold it, so it stays as it is; "
                "what changed needs a path of its own."
            )
        if len(data) > trust.MAX_TARGET:
            raise KeyRefused(f"{path} is longer than members accept.")
        trust.write(file, data)

    def _sign(self, role: str, signed: Any) -> Metadata[Any]:  # noqa: ANN401 - one of TUF's four
        made: Metadata[Any] = Metadata(signed)
        try:
            made.sign(self._keys.of(role))
        except UnsignedMetadataError as error:
            raise KeyRefused(
                f"The key of {role} did not sign: {error.__cause__ or error}. "
                "What was published before stays as it is."
            ) from error
        version = None if role == TIMESTAMP else signed.version
        data = made.to_bytes()
        trust.parse(data, role)
        trust.write(self.directory / FOLDER / name_of(role, version), data)
        return made

    def _next(self, role: str, version: int) -> int:
        """A version nobody has seen: after a power cut, a reader may know more than the disk."""
        present = (self.directory / FOLDER).glob(f"*.{role}.json")
        numbers = [file.name.partition(".")[0] for file in present]
        return max([version, *(int(number) for number in numbers if number.isdigit())]) + 1

    def _newest_root(self) -> Root:
        data = trust.newest_root(self.directory)
        if data is None:
            raise KeyRefused(
                f"{self.directory / FOLDER} holds no root of trust: it comes from a ceremony."
            )
        try:
            root: Root = trust.parse(data, ROOT).signed
        except ListRefused as error:
            raise KeyRefused(
                f"The newest root in {self.directory} is damaged. {error.message}"
            ) from error
        return root

    def _root(self, now: datetime) -> Root:
        """The newest root, when it is in force and names the keys at hand."""
        root = self._newest_root()
        trust.policy_of(root)
        if root.is_expired(now):
            raise KeyRefused(
                f"The root of trust expired on {root.expires:%Y-%m-%d}: members believe nothing "
                "under it. Its holders must sign a new one ('strandline list root rotate')."
            )
        for role in trust.ONLINE:
            keyid = self._keys.of(role).public_key.keyid
            if keyid not in root.roles[role].keyids:
                raise KeyRefused(
                    f"The key given for {role} is not the one that root {root.version} names: "
                    "members would refuse what it signs. Nothing was published."
                )
        return root

    def _held(self) -> "_Held":
        if not (self.directory / FOLDER / name_of(TIMESTAMP)).exists():
            return _NOTHING
        timestamp = self._read(TIMESTAMP)
        snapshot = self._read(SNAPSHOT, timestamp.signed.snapshot_meta.version)
        version = snapshot.signed.meta[name_of(TARGETS)].version
        return _Held(self._read(TARGETS, version), snapshot, timestamp)

    def _read(self, role: str, version: int | None = None) -> Metadata[Any]:
        path = self.directory / FOLDER / name_of(role, version)
        try:
            return trust.parse(path.read_bytes(), role)
        except OSError as error:
            raise KeyRefused(f"{path} cannot be read: {error.strerror}.") from error
        except ListRefused as error:
            raise KeyRefused(
                f"{path} is not as it was written. {error.message} Put it back from a copy, or "
                "let a ceremony replace the keys of timestamp and snapshot; then members begin "
                "anew."
            ) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second publisher out of the folder."""
        folder = self.directory / FOLDER
        self._newest_root()
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise KeyRefused(
                f"The list could not be released in {self.directory}: {error.strerror}. What was "
                "released before stays in force; the same call does what is left."
            ) from error
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class _Held:
    targets: Metadata[Any]
    snapshot: Metadata[Any]
    timestamp: Metadata[Any]


_BEFORE = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
#: Before the first release: versions below 1 are no versions of TUF, so the numbers are set after.
_NOTHING = _Held(
    Metadata(Targets(expires=_BEFORE)),
    Metadata(Snapshot(expires=_BEFORE)),
    Metadata(Timestamp(expires=_BEFORE)),
)
for _empty in vars(_NOTHING).values():
    _empty.signed.version = 0


def _named(path: str, data: bytes) -> TargetFile:
    return TargetFile.from_data(path, data, ["sha256"])


def _until(now: datetime, lifetime: timedelta) -> datetime:
    return (now + lifetime).replace(microsecond=0)


def _worn(root: Root, role: str, held: Metadata[Any], now: datetime) -> bool:
    """Whether it is past half its life, or not signed by the keys of this root."""
    if held.signed.expires - now < LIFETIMES[role] / 2:
        return True
    signed = root.get_verification_result(role, held.signed_bytes, held.signatures)
    return not signed
