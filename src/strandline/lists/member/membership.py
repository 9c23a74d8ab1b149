"""A member's whole side in a few calls: init, sync, verify, match, explain, export, bundle."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from strandline.errors import ListRefused
from strandline.lists.member.bundle import BundleSource, write_bundle
from strandline.lists.member.checking import Verified, check
from strandline.lists.member.following import Synced, follow
from strandline.lists.member.sources import Progress, Source, WebSource
from strandline.lists.member.subscription import Subscription, subscribe
from strandline.lists.trust.updating import Kept


def init(
    directory: str | Path,
    url: str = "",
    *,
    fingerprint: str | None = None,
    root: str | Path | None = None,
    api_key: str | None = None,
    api_key_file: str | Path | None = None,
    bundle: str | Path | None = None,
    certifying: str = "",
) -> Kept:
    """Make a member's folder for the list published at ``url``, and pin its root of trust.

    Give the root's ``fingerprint``, or the file ``root``, had from the publisher in a way you
    trust; with both, the file must have that fingerprint. The folder remembers where the API key's
    file is, never the key. In a network connected to nothing give ``bundle`` in the place of
    ``url``. ``certifying`` names the hotline in the list's policy that looks at editions to
    certify them: such a folder takes editions before they are certified, and answers from none of
    them. That is settled when the folder is made. Raises ListRefused.
    """
    key_file = str(Path(api_key_file).absolute()) if api_key_file else ""
    subscription = Subscription(url, key_file, certifying)
    known = Path(root).read_bytes() if root is not None else None
    with contextlib.ExitStack() as stack:
        source: Source | None = None
        if known is None and fingerprint is not None and (url or bundle):
            source = stack.enter_context(_source(subscription, api_key, bundle, None))
        return subscribe(
            Path(directory), subscription, fingerprint=fingerprint, root=known, source=source
        )


def sync(
    directory: str | Path,
    *,
    api_key: str | None = None,
    bundle: str | Path | None = None,
    limit_rate: int | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Synced:
    """Bring the copy in ``directory`` to the newest edition for which every condition holds.

    ``api_key`` takes the place of the one in the file that the folder remembers; ``bundle`` is a
    file to read in the place of the web; ``limit_rate`` is in bytes a second, on average. Sync is
    resumed page by page after a cut or a kill. Raises ListRefused, saying why, with the edition
    held before still in use.
    """
    directory = Path(directory)
    subscription = Subscription.read(directory)
    with _source(subscription, api_key, bundle, limit_rate) as source:
        synced = follow(directory, source, now=now or datetime.now(UTC), progress=progress)
        if isinstance(source, WebSource):
            source.tell(synced.manifest.edition)
        return synced


def verify(directory: str | Path, *, now: datetime | None = None) -> Verified:
    """Check that the copy is intact to the byte, complete for its scope, and current.

    Raises ListRefused with the first thing that is not so.
    """
    return check(Path(directory), now=now or datetime.now(UTC))


def bundle(directory: str | Path, target: str | Path) -> int:
    """Write the copy into one file that ``sync`` reads elsewhere; returns its bytes."""
    return write_bundle(Path(directory), Path(target))


@contextlib.contextmanager
def _source(
    subscription: Subscription,
    api_key: str | None,
    bundle: str | Path | None,
    limit_rate: int | None,
) -> Iterator[Source]:
    if bundle is not None:
        with BundleSource.open(Path(bundle)) as source:
            yield source
        return
    if not subscription.url:
        raise ListRefused("This folder has no address to sync from: give a bundle.")
    if api_key is None and subscription.api_key_file:
        path = Path(subscription.api_key_file)
        try:
            api_key = path.read_text("utf-8", errors="replace").strip()
        except OSError as error:
            raise ListRefused(f"The API key in {path} cannot be read: {error.strerror}.") from error
    yield WebSource.open(subscription.url, api_key=api_key or None, limit_rate=limit_rate)
