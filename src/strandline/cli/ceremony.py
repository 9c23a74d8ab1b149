"""``strandline list root``: the ceremony in which people make and change a list's root of trust.

Only ``publish`` needs the published folder; everything else works on files carried between
machines that are not connected. docs/keys.md goes through it step by step.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.files import printable
from strandline.errors import KeyRefused

if TYPE_CHECKING:
    from strandline.lists.trust.policy import Policy
    from strandline.lists.trust.roots import Changes

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ROLES = ("targets", "snapshot", "timestamp")

_PREVIOUS = click.option(
    "--previous", metavar="ROOT", type=_FILE, help="The root before: says what changed since."
)
_OUT = click.option("--out", metavar="DRAFT", type=_NEW, required=True, help="File for the draft.")
_THRESHOLD = click.option(
    "--threshold", type=click.IntRange(1, 100), help="Holders that must sign together."
)
_DAYS = click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=365,
    show_default=True,
    help="Days until the root has to be renewed.",
)


@click.group("root")
def root() -> None:
    """Make and change the root of trust of a list you publish, together with others."""


@root.command()
@click.argument("path", metavar="FILE", type=_NEW)
@click.option("--holder", metavar="NAME", help="Who holds it. Default: FILE's name.")
@click.option("--passphrase", is_flag=True, help="Ask for a passphrase and lock the file with it.")
def key(path: Path, holder: str | None, *, passphrase: bool) -> None:
    """Make a key in FILE, which never leaves this machine, and its public half beside it."""
    from strandline.lists.trust.keys import new_key

    holder = holder or path.name.removesuffix(".key")
    secret = None
    if passphrase:
        secret = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    made = new_key(path, holder, passphrase=secret)
    click.echo(f"Key of {made.holder}, to be read aloud:\n{_fingerprint(made.keyid)}")
    click.echo(f"{printable(path)} stays here; carry the .pub file beside it.", err=True)


@root.command()
@click.argument("place", metavar="KEY")
@click.option("--holder", metavar="NAME", required=True, help="Who holds it.")
@click.option("--out", metavar="PUB", type=_NEW, required=True, help="File for the public half.")
def public(place: str, holder: str, out: Path) -> None:
    """Write the public half of KEY: a file, or file:PATH, env:NAME, awskms:KEYID."""
    from strandline.lists.trust.keys import public_half

    half = public_half(_place(place), holder, _ask_passphrase)
    _write_file(out, half.encode())
    click.echo(f"Key of {half.holder}, to be read aloud:\n{_fingerprint(half.keyid)}")


@root.command()
@click.option(
    "--policy", "policy_file", metavar="TOML", type=_FILE, required=True, help="The policy."
)
@click.option(
    "--holder",
    "holders",
    metavar="PUB",
    type=_FILE,
    multiple=True,
    required=True,
    help="Public half of a holder's key; given once for each holder.",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 100),
    required=True,
    help="Holders that must sign together.",
)
@click.option(
    "--targets", metavar="PUB", type=_FILE, required=True, help="Key that names editions."
)
@click.option("--snapshot", metavar="PUB", type=_FILE, required=True, help="Key of the snapshot.")
@click.option("--timestamp", metavar="PUB", type=_FILE, required=True, help="Key of the timestamp.")
@_DAYS
@_OUT
def draft(
    *,
    policy_file: Path,
    holders: tuple[Path, ...],
    threshold: int,
    days: int,
    out: Path,
    **online: Path,
) -> None:
    """Write the draft of a list's first root; sign nothing."""
    from strandline.lists.trust.keys import PublicKey
    from strandline.lists.trust.roots import Plan
    from strandline.lists.trust.roots import draft as draft_of

    plan = Plan(
        policy=_policy(policy_file),
        holders=tuple(PublicKey.load(path) for path in holders),
        threshold=threshold,
        online={role: PublicKey.load(path) for role, path in online.items()},
        expires=_now() + timedelta(days=days),
    )
    _write_draft(draft_of(plan), out, None)


@root.command()
@click.argument("current", metavar="ROOT", type=_FILE)
@click.option(
    "--holder", "holders", metavar="PUB", type=_FILE, multiple=True, help="A new holder's key."
)
@click.option("--drop", metavar="NAME", multiple=True, help="A holder who leaves.")
@_THRESHOLD
@click.option("--targets", metavar="PUB", type=_FILE, help="New key that names editions.")
@click.option("--snapshot", metavar="PUB", type=_FILE, help="New key of the snapshot.")
@click.option("--timestamp", metavar="PUB", type=_FILE, help="New key of the timestamp.")
@click.option("--policy", "policy_file", metavar="TOML", type=_FILE, help="New policy.")
@_DAYS
@_OUT
def rotate(
    current: Path,
    *,
    holders: tuple[Path, ...],
    drop: tuple[str, ...],
    threshold: int | None,
    policy_file: Path | None,
    days: int,
    out: Path,
    **online: Path | None,
) -> None:
    """Write the draft of the root after ROOT: renewed, with what the options change."""
    from strandline.lists.trust.keys import PublicKey
    from strandline.lists.trust.roots import Changes

    added = [PublicKey.load(path) for path in holders]
    replaced = {role: PublicKey.load(path) for role, path in online.items() if path is not None}
    policy = _policy(policy_file) if policy_file else None
    changes = Changes(tuple(added), drop, threshold, replaced, policy)
    _draft_next(current, changes, days, out)


@root.command()
@click.argument("current", metavar="ROOT", type=_FILE)
@click.argument("name", metavar="NAME")
@click.option("--replace", metavar="PUB", type=_FILE, help="The key that takes its place.")
@_THRESHOLD
@_DAYS
@_OUT
def revoke(
    current: Path, name: str, *, replace: Path | None, threshold: int | None, days: int, out: Path
) -> None:
    """Write the draft of the root after ROOT in which the key called NAME counts no more.

    NAME is a holder, or targets, snapshot or timestamp; those three need --replace.
    """
    from strandline.lists.trust.keys import PublicKey
    from strandline.lists.trust.roots import Changes

    new = PublicKey.load(replace) if replace else None
    if name not in _ROLES:
        changes = Changes((new,) if new else (), (name,), threshold)
    elif new:
        changes = Changes(threshold=threshold, online={name: new})
    else:
        raise KeyRefused(f"A list cannot be without a key of {name}: give --replace.")
    _draft_next(current, changes, days, out)


@root.command()
@click.argument("file", metavar="FILE", type=_FILE)
@_PREVIOUS
def show(file: Path, previous: Path | None) -> None:
    """Say in words what FILE says: a draft, a root, or a public key."""
    from strandline.lists.trust.keys import PublicKey
    from strandline.lists.trust.pinning import fingerprint
    from strandline.lists.trust.roots import read
    from strandline.lists.trust.transcript import describe

    if file.suffix == ".pub":
        public = PublicKey.load(file)
        click.echo(f"Key of {public.holder}\n{_fingerprint(public.keyid)}")
        return
    data = file.read_bytes()
    click.echo(describe(data, previous=_bytes(previous)), nl=False)
    if signatures := read(data).signatures:
        click.echo(f"\n{len(signatures)} signatures. Fingerprint of this file:")
        click.echo(_fingerprint(fingerprint(data)))
    else:
        click.echo("\nA draft: nobody has signed it in this file.")


@root.command()
@click.argument("drafted", metavar="DRAFT", type=_FILE)
@click.argument("place", metavar="KEY")
@click.option(
    "--out", metavar="SIGNATURE", type=_NEW, required=True, help="File for the signature."
)
@click.option(
    "--digest",
    metavar="HEX",
    help="The digest that was agreed on. Without it you are asked for its last line.",
)
@_PREVIOUS
def sign(drafted: Path, place: str, out: Path, digest: str | None, previous: Path | None) -> None:
    """Show DRAFT, and sign it with KEY: a file, or file:PATH, env:NAME, awskms:KEYID."""
    from strandline.lists.trust.ceremony import sign as sign_draft
    from strandline.lists.trust.keys import open_signer, ungrouped
    from strandline.lists.trust.roots import statement
    from strandline.lists.trust.transcript import describe

    data, before = drafted.read_bytes(), _bytes(previous)
    # Whoever is asked for the digest types what was read to them, not what is on this screen.
    click.echo(describe(data, previous=before, digest=digest is not None), err=True)
    digest_here = statement(data)
    if digest is None:
        # Fewer digits could be met by another draft that somebody tried out for it.
        line = click.prompt("Last line of the digest, as the others read it", err=True)
        agreed = "".join(line.split()).lower() == digest_here[-16:]
    else:
        agreed = ungrouped(digest) == digest_here
    if not agreed:
        raise KeyRefused("The digest is another than the one agreed on. Nothing was signed.")
    signer = open_signer(_place(place), _ask_passphrase)
    _write_file(out, sign_draft(data, signer, previous=before))
    click.echo(f"Signed into {printable(out)}.")


@root.command()
@click.argument("drafted", metavar="DRAFT", type=_FILE)
@click.argument("signatures", metavar="SIGNATURES...", type=_FILE, nargs=-1, required=True)
@click.option(
    "--into", "folder", metavar="DIR", type=_FOLDER, required=True, help="The published folder."
)
@click.option(
    "--transcript", "path", metavar="FILE", type=_NEW, required=True, help="What is left of it."
)
def publish(drafted: Path, signatures: tuple[Path, ...], folder: Path, path: Path) -> None:
    """Put SIGNATURES to DRAFT and publish the root in DIR: not before enough have signed."""
    from strandline.lists.trust import ceremony
    from strandline.lists.trust.metadata import FOLDER, name_of
    from strandline.lists.trust.roots import read
    from strandline.lists.trust.transcript import transcript

    if path.exists():
        raise KeyRefused(f"{path} exists and was kept. Choose another name for the transcript.")
    data = drafted.read_bytes()
    version = read(data).signed.version
    before = folder / FOLDER / name_of("root", version - 1)
    previous = before.read_bytes() if version > 1 and before.exists() else None
    gathered = ceremony.gather(
        data, [signature.read_bytes() for signature in signatures], previous=previous
    )
    published = ceremony.publish(folder, gathered)
    _write_file(path, transcript(gathered, previous=previous, now=_now()).encode())
    click.echo(f"Published {printable(published)}, signed by {', '.join(gathered.signed)}.")
    click.echo(f"Transcript: {printable(path)}. Now let the publisher sign a heartbeat.")


def _draft_next(current: Path, changes: "Changes", days: int, out: Path) -> None:
    from strandline.lists.trust.roots import following

    previous = current.read_bytes()
    expires = _now() + timedelta(days=days)
    _write_draft(following(previous, changes, expires=expires), out, previous)


def _write_draft(drafted: bytes, out: Path, previous: bytes | None) -> None:
    from strandline.lists.trust.transcript import describe

    _write_file(out, drafted)
    click.echo(describe(drafted, previous=previous), nl=False)
    click.echo(f"Draft in {printable(out)}. Nobody has signed it.", err=True)


def _policy(path: Path) -> "Policy":
    from strandline.lists.trust.policy import read_policy

    return read_policy(path.read_text("utf-8", errors="replace"))


def _write_file(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise KeyRefused(f"{path} exists and was kept. Choose another name.") from None


def _place(typed: str) -> str:
    return typed if typed.startswith(("file:", "env:", "awskms:")) else f"file:{typed}"


def _bytes(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def _ask_passphrase() -> str:
    return str(click.prompt("Passphrase", hide_input=True, err=True))


def _fingerprint(digest: str) -> str:
    from strandline.lists.trust.keys import grouped

    return "\n".join(f"  {line}" for line in grouped(digest).split("\n"))


def _now() -> datetime:
    return datetime.now(UTC)
