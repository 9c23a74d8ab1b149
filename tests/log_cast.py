"""A log, two witnesses and a clock, with keys that never change."""

from datetime import UTC, datetime, timedelta

from strandline.transparency import CosignatureSigner, Log, Signer
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.notes import open_note

LOG = Signer.from_seed("log.example", bytes(32))
OTHER_LOG = Signer.from_seed("other.example", bytes([7]) * 32)
W1 = CosignatureSigner.from_seed("witness.example/1", bytes([1]) * 32)
W2 = CosignatureSigner.from_seed("witness.example/2", bytes([2]) * 32)
W3 = CosignatureSigner.from_seed("witness.example/3", bytes([3]) * 32)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def cosigned(log: Log, *witnesses: CosignatureSigner, when: datetime = NOW) -> str:
    """Publish the log as it stands with these witnesses' cosignatures."""
    return log.publish([witness.cosign(body(log.checkpoint()), when) for witness in witnesses])


def body(note: str) -> str:
    return open_note(note, [LOG.verifier]).text


def state(note: str) -> Checkpoint:
    return Checkpoint.parse(body(note))


def reading(directory):
    return lambda path: (directory / path).read_bytes()
