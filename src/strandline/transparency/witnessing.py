"""A log's side of witnessing: asks a witness to cosign a checkpoint."""

import base64
import re
from collections.abc import Callable, Sequence

from strandline.errors import NoteRefused, WitnessRefused
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.cosignatures import CosignatureVerifier
from strandline.transparency.notes import open_note, split_note

#: Sends bytes to an address and returns status and body. May raise any StrandlineError.
Post = Callable[[str, bytes], tuple[int, bytes]]
#: The hashes that lead from a smaller size of the log to the checkpoint's.
Consistency = Callable[[int], Sequence[bytes]]

_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
#: The witness may have moved on since it told its size; more often than this is no accident.
_TRIES = 3


def ask(
    post: Post,
    url: str,
    checkpoint: str,
    consistency: Consistency,
    witness: CosignatureVerifier,
    *,
    last: int = 0,
) -> str:
    """Return the witness's cosignature line on the signed note ``checkpoint``.

    ``url`` is its submission prefix, ``last`` the size it cosigned last as far as the log knows;
    when it says another, it is asked again from there. Raises WitnessRefused.
    """
    text, _ = split_note(checkpoint)
    state = Checkpoint.parse(text)
    old = last
    for _ in range(_TRIES):
        body = request(old, consistency(old), checkpoint)
        status, answer = post(f"{url.rstrip('/')}/add-checkpoint", body)
        if status == 200:
            return _own_line(text, answer, witness)
        if status != 409:
            raise WitnessRefused(
                f"The witness {witness.name} did not cosign: it answered {status}"
                f"{_sentence(answer)}. The checkpoint was not changed."
            )
        found = _SIZE.fullmatch(answer)
        if found is None:
            raise WitnessRefused(
                f"The witness {witness.name} did not tell which size it cosigned last. Ask its "
                "operator."
            )
        old = int(found[1])
        if old > state.size:
            raise WitnessRefused(
                f"The witness {witness.name} has cosigned this log at {old} leaves, and here it "
                f"has {state.size}: it was set back, perhaps by restoring a backup. Bring the "
                "log's files back from a mirror before anything is published."
            )
    raise WitnessRefused(f"The witness {witness.name} names another size each time it is asked.")


def request(old: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """The body of ``POST add-checkpoint``."""
    hashes = "".join(f"{base64.b64encode(one).decode('ascii')}\n" for one in proof)
    return f"old {old}\n{hashes}\n{checkpoint}".encode()


def _own_line(text: str, answer: bytes, witness: CosignatureVerifier) -> str:
    """The witness's line of those it sent; others' are not ours to judge."""
    try:
        opened = open_note(f"{text}\n".encode() + answer, [witness])
    except NoteRefused as refused:
        raise WitnessRefused(
            f"What the witness {witness.name} sent is not its cosignature. {refused.message}"
        ) from refused
    return opened.signatures[-1].line


def _sentence(answer: bytes) -> str:
    """What it said, as far as it can be shown."""
    said = answer.decode("utf-8", errors="replace").strip()[:200]
    shown = "".join(c if c.isprintable() else " " for c in said)
    return f" ({shown})" if shown else ""
