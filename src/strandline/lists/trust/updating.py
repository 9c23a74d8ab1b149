"""The member's side of trust: from the one root that was pinned to what is published now.

The steps are those of the TUF client (https://theupdateframework.github.io/specification/, section
5), done by ``tuf.ngclient``: this module gives it a way to read, a clock and a folder, holds every
file to its one form, and turns each refusal into a sentence. Connecting is left to the caller.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    LengthOrHashMismatchError,
    RepositoryError,
)
from tuf.api.metadata import Root, TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from strandline.errors import ListRefused, NotPublished, SourceFailed
from strandline.lists.trust import metadata as trust
from strandline.lists.trust.metadata import FOLDER, LIMITS, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from strandline.lists.trust.pinning import (
    PINNED,
    Kept,
    fingerprint,
    held,
    init_trust,
    kept_file,
    kept_roots,
    settled_policy,
)
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.refusals import sentence, shown

__all__ = ["HeldFile", "Kept", "Read", "Trusted", "fingerprint", "held", "init_trust", "update"]

#: Called with a path below the published folder and the most bytes to read. Raises NotPublished (or
#: FileNotFoundError) when there is no such file, and ListRefused when there is no answer.
Read = Callable[[str, int], bytes]
#: Called with a path; the bytes held of it, or None.
HeldFile = Callable[[str], bytes | None]

_MAX_ROTATIONS = 256
#: A clock may be ahead of the publisher's, or behind it, by this much.
_CLOCKS = timedelta(hours=1)
_KEPT = "What was trusted before is kept."


@dataclass(frozen=True)
class Trusted:
    """What is published now, by an unbroken and unexpired chain from the pinned root."""

    policy: Policy
    #: Version of the newest root.
    root: int
    #: Path below the published folder → the file.
    targets: Mapping[str, bytes]
    expires: datetime


def update(
    read: Read, directory: str | Path, *, now: datetime, held_file: HeldFile | None = None
) -> Trusted:
    """Bring the trust in ``directory`` to what is published now, and fetch the files it names.

    ``now`` is the clock, in UTC. With ``held_file``, files held already are not read again; they
    are checked alike. Raises ListRefused when anything does not follow from what was trusted
    before, which stays as it was; a kill at any moment leaves one whole state.
    """
    directory, read = Path(directory), _telling(read)
    roots = kept_roots(directory)
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        # The library passes over a file it cannot read, and with it over how new it was.
        kept_file(directory, role, roots)
    try:
        updater = _Updater(directory, _Reader(read), now)
        updater.refresh()
        policy = settled_policy(roots[0].signed, updater.root)
        files = {
            path: _target(read, held_file, path, target) for path, target in updater.named.items()
        }
    except ListRefused as error:
        raise _kept(error) from error
    except (RepositoryError, DownloadError, ValueError) as error:
        cause = error.__cause__
        if isinstance(cause, ListRefused) and not isinstance(cause, NotPublished):
            raise _kept(cause) from error
        raise _kept(ListRefused(sentence(error, now))) from error
    except OSError as error:
        raise ListRefused(
            f"The trust could not be written to {directory}: {error.strerror}. {_KEPT}"
        ) from error
    return Trusted(policy, updater.root.version, files, updater.expires)


def _kept(error: ListRefused) -> ListRefused:
    """The same refusal, saying what was kept; a source that failed stays told apart."""
    kind = SourceFailed if isinstance(error, SourceFailed) else ListRefused
    return kind(f"{error.message} {_KEPT}")


def _telling(read: Read) -> Read:
    """``read``, with what a file system says turned into our refusals."""

    def told(path: str, most: int) -> bytes:
        try:
            return read(path, most)
        except FileNotFoundError:
            raise NotPublished(f"There is no {path}.") from None
        except OSError as error:
            raise ListRefused(f"{path} could not be read: {error.strerror}.") from error

    return told


class _Reader(FetcherInterface):
    """Reads for tuf.ngclient, from wherever the caller reads."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def _fetch(self, url: str) -> Iterator[bytes]:
        role = url.removesuffix(".json").rpartition(".")[2].rpartition("/")[2]
        limit = LIMITS[role]
        try:
            data = self._read(url, limit)
        except NotPublished as error:
            raise DownloadHTTPError(f"There is no {url}.", 404) from error
        if len(data) > limit:
            raise DownloadLengthMismatchError(url)
        return iter((data,))


class _Updater(Updater):
    """tuf.ngclient with our clock, our one form of each file, and writes that reach the disk."""

    def __init__(self, directory: Path, reader: _Reader, now: datetime) -> None:
        config = UpdaterConfig(
            max_root_rotations=_MAX_ROTATIONS,
            max_delegations=0,
            root_max_length=LIMITS[ROOT],
            timestamp_max_length=LIMITS[TIMESTAMP],
            snapshot_max_length=LIMITS[SNAPSHOT],
            targets_max_length=LIMITS[TARGETS],
            prefix_targets_with_hash=False,
        )
        self._now = now
        self._pinned = (directory / PINNED).read_bytes()
        super().__init__(
            metadata_dir=str(directory),
            metadata_base_url=f"{FOLDER}/",
            fetcher=reader,
            config=config,
            bootstrap=self._pinned,
        )
        self._trusted_set.reference_time = now

    @property
    def root(self) -> Root:
        return self._trusted_set.root

    @property
    def named(self) -> Mapping[str, TargetFile]:
        return self._trusted_set.targets.targets

    @property
    def expires(self) -> datetime:
        return self._trusted_set.timestamp.expires

    def _download_metadata(self, rolename: str, length: int, version: int | None = None) -> bytes:
        data = super()._download_metadata(rolename, length, version)
        offered = trust.parse(data, rolename)
        roots = [self.root, offered.signed] if rolename == ROOT else [self.root]
        trust.check_signatures(offered, rolename, roots)
        if rolename == TIMESTAMP:
            self._check_lifetime(offered.signed.expires)
        return data

    def _check_lifetime(self, expires: datetime) -> None:
        """A timestamp good for longer than any publisher makes one says that a clock is behind.

        Without this, a clock set back would let an old statement pass for a fresh one, and whoever
        stole the timestamp's key could sign one for years.
        """
        lifetime = timedelta(hours=trust.policy_of(self.root).fresh_hours)
        if expires > self._now + lifetime + _CLOCKS:
            raise ListRefused(
                "The publisher's newest statement is dated ahead of this computer's clock, which "
                f"says {shown(self._now)}. Either this clock is behind, or the publisher's ahead."
            )

    def _persist_root(self, version: int, data: bytes) -> None:
        if data != self._pinned:
            super()._persist_root(version, data)

    def _persist_file(self, filename: str, data: bytes) -> None:
        trust.write(Path(filename), data)

    def _update_root_symlink(self) -> None:
        """Every update starts from the pinned root; a second name for one is not needed."""


def _target(read: Read, held_file: HeldFile | None, path: str, target: TargetFile) -> bytes:
    data = held_file(path) if held_file else None
    if data is not None and _is(target, data):
        return data
    try:
        data = read(path, target.length)
    except NotPublished:
        raise ListRefused(f"{path} is named by the publisher, but is not there.") from None
    if not _is(target, data):
        raise ListRefused(
            f"{path} is not the file that the publisher signed for: it was altered on the way, "
            "or two states were mixed."
        )
    return data


def _is(target: TargetFile, data: bytes) -> bool:
    try:
        target.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        return False
    return True
