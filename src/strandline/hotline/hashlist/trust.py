"""What signs and stands behind the published list: its keys, its log, its policy.

Only the worker can open the keys; the policy is public and every face can read it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strandline.hotline.config import Config
from strandline.hotline.errors import NotConfigured
from strandline.lists.trust import metadata
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.transparency import Log, Signer

#: Folder of the log in the published folder.
LOG = "log"


def policy_of(config: Config) -> Policy:
    """The policy in the newest root of trust; raises NotConfigured where there is no root."""
    root = metadata.newest_root(config.published)
    if root is None:
        raise NotConfigured(
            f"{config.published} holds no root of trust, so nothing can be published or certified. "
            "Run 'strandline init', or bring the root from its ceremony (docs/keys.md)."
        )
    return metadata.policy_of(metadata.parse(root, metadata.ROOT).signed)


def list_signer(config: Config) -> Signer:
    """The key of manifests; raises NoteRefused when it cannot be read."""
    return Signer.load(config.secret_path("list-signer"))


def open_log(config: Config) -> Log:
    """The log that manifests and certificates are put into.

    Raises:
        NoteRefused: its key cannot be read.
        LogDamaged: its files are not what it signed.
    """
    return Log(config.published / LOG, Signer.load(config.secret_path("log-signer")))


def open_repository(config: Config) -> Repository:
    """What tells members of the newest editions; raises KeyRefused when a key cannot be had."""
    return Repository(config.published, OnlineKeys.open(**config.list_keys))


@contextmanager
def sole_publisher(published: Path) -> Iterator[None]:
    """Keep a second publisher on this machine waiting: one whose lease ran out, for example."""
    published.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(published, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
