"""What a member's folder is subscribed to, settled when it was made: where, and with which key."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from strandline.errors import ListRefused, NotPublished
from strandline.lists import disk
from strandline.lists.denied import told
from strandline.lists.member.layout import INCOMING, STORE, SUBSCRIPTION, TRUST, sole
from strandline.lists.member.sources import Source
from strandline.lists.trust.metadata import FOLDER, LIMITS, ROOT, name_of
from strandline.lists.trust.updating import Kept, init_trust


@dataclass(frozen=True)
class Subscription:
    """Where the list comes from. The API key itself is never copied."""

    #: Of the published folder; empty when only bundles bring it.
    url: str
    #: File that holds the member's API key; empty when there is none.
    api_key_file: str = ""
    #: Name of the hotline whose copy this is, to look at what it is asked to certify before it is
    #: certified. Empty for everyone else; settled when the folder is made.
    certifying: str = ""

    def encode(self) -> bytes:
        """The content of the file: JSON, and its digest."""
        line = json.dumps(asdict(self), sort_keys=True)
        return f"{line}\nsha256 {hashlib.sha256(line.encode()).hexdigest()}\n".encode()

    def write(self, directory: Path) -> None:
        """Keep it in a folder whose lock the caller has."""
        disk.replace(directory / SUBSCRIPTION, self.encode(), directory / INCOMING)

    def check_kind(self, directory: Path) -> None:
        """Raise ListRefused where the folder was made to certify and this is not, or otherwise."""
        if (directory / SUBSCRIPTION).exists():
            before = Subscription.read(directory).certifying
        elif (directory / STORE).exists():
            before = ""  # whatever it was: an edition is held, and what is stricter holds for it
        else:
            return
        if before != self.certifying:
            kind = f"to certify as {before}" if before else "to use certified editions alone"
            raise ListRefused(
                f"{directory} was made {kind}, and that was kept. To certify, and to use the list, "
                "make a folder of its own for each."
            )

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read it back; raises ListRefused when there is none or it was altered."""
        path = directory / SUBSCRIPTION
        try:
            with told():
                data = path.read_bytes()
            found = cls(**json.loads(data.partition(b"\n")[0]))
            intact = found.encode() == data
        except FileNotFoundError:
            raise ListRefused(
                f"{directory} is not subscribed to a list. Begin with: strandline list init"
            ) from None
        except OSError as error:
            raise ListRefused(f"{path} cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError, RecursionError):
            intact = False
        if not intact:
            raise ListRefused(f"{path} is not as it was written. Make the folder anew.")
        return found


def subscribe(
    directory: Path,
    subscription: Subscription,
    *,
    fingerprint: str | None,
    root: bytes | None,
    source: Source | None,
) -> Kept:
    """Make a member's folder that trusts one root; fetches nothing but that root.

    ``root`` are the bytes of the root had from the publisher in a way you trust; or ``fingerprint``
    is what it must have, and ``source`` gives it. Raises ListRefused, leaving what was there.
    """
    if root is None:
        if fingerprint is None or source is None:
            raise ListRefused(
                "To trust a list, give the fingerprint of its root, or the root's file, had from "
                "the publisher in a way you trust."
            )
        try:
            root = source.read(f"{FOLDER}/{name_of(ROOT, 1)}", LIMITS[ROOT])
        except NotPublished as missing:
            raise ListRefused(f"{missing.message} No list is published there.") from missing
    expected = fingerprint or hashlib.sha256(root).hexdigest()
    existed = directory.exists()
    try:
        with sole(directory):
            subscription.check_kind(directory)
            kept = init_trust(directory / TRUST, root, expected)
            subscription.write(directory)
            disk.remove_tree(directory / INCOMING)
    except OSError as error:
        raise ListRefused(f"{directory} could not be made: {error.strerror}.") from error
    finally:
        if not existed and directory.exists() and not any(directory.iterdir()):
            directory.rmdir()
    return kept
