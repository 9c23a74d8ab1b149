"""Whose word counts about a log: keys that a person typed, or a list's root of trust."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strandline.cli.keys import key_text

if TYPE_CHECKING:
    from strandline.lists.trust.policy import Policy
    from strandline.transparency import CosignatureVerifier, Verifier


@dataclass(frozen=True)
class LogTrust:
    """What a log is believed by."""

    log: "Verifier"
    witnesses: "Sequence[CosignatureVerifier]"
    quorum: int
    #: Of the root of trust, where one was given.
    policy: "Policy | None"


def trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--root``, ``--key``, ``--witness`` and ``--quorum`` to a command."""
    for option in (
        click.option(
            "--quorum",
            metavar="N",
            type=click.IntRange(min=0),
            help="Witnesses that must have cosigned: no fewer than the root says.",
        ),
        click.option(
            "--witness",
            "witnesses",
            metavar="VKEY",
            multiple=True,
            help="A witness's verifier key, or its file; as often as there are witnesses.",
        ),
        click.option("--key", metavar="VKEY", help="The log's verifier key, or its file."),
        click.option(
            "--root",
            metavar="FILE",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="A list's root of trust that you trust: keys and limits are taken from it.",
        ),
    ):
        command = option(command)
    return command


def settle(
    root: Path | None, key: str | None, witnesses: Sequence[str], quorum: int | None
) -> LogTrust:
    """What was typed goes before what the root says; UsageError when neither names a log."""
    from strandline.transparency import CosignatureVerifier, Verifier

    policy = _policy(root) if root else None
    if key is None and policy is None:
        raise click.UsageError("Name the log's key with --key, or the list's root with --root.")
    log = policy.log if key is None and policy else key_text(key or "")
    typed = [key_text(each) for each in witnesses]
    known = [
        CosignatureVerifier.from_vkey(vkey)
        for vkey in typed or (policy.witnesses if policy else ())
    ]
    least = policy.witness_quorum if policy and not typed else 0
    if quorum is not None and quorum < least:
        raise click.UsageError(
            f"The root asks for {least} witnesses; --quorum {quorum} would believe fewer."
        )
    if quorum is None:
        quorum = policy.witness_quorum if policy and not typed else len(known)
    return LogTrust(Verifier.from_vkey(log), known, quorum, policy)


def _policy(root: Path) -> "Policy":
    from strandline.lists.trust import metadata, roots

    return metadata.policy_of(roots.read(root.read_bytes()).signed)
