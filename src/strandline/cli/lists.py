"""``strandline list``: what a member does with a published hash list."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.ceremony import root
from strandline.cli.certify import certify
from strandline.cli.files import files_under, printable
from strandline.cli.progress import Count, counting, downloading
from strandline.errors import ListRefused

if TYPE_CHECKING:
    from strandline.lists import FileMatches, Manifest

API_KEY = "STRANDLINE_API_KEY"
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ANY = click.Path(path_type=Path)


@click.group("list")
def lists() -> None:
    """Fetch, check and use a published hash list."""


lists.add_command(root)
lists.add_command(certify)


@lists.command()
@click.argument("url")
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option(
    "--key",
    metavar="VKEY",
    help="The publisher's verifier key, or a file that holds it. Needed at the first sync only.",
)
@click.option(
    "--api-key-file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"File that holds your API key. Without it, the environment's {API_KEY} is used.",
)
def sync(url: str, directory: Path, key: str | None, api_key_file: Path | None) -> None:
    """Bring DIR to the latest edition of the list published at URL.

    Only an edition signed by the publisher's key, complete and newer than the one in DIR is taken;
    otherwise the one in DIR stays in use, and the exit status is 1.
    """
    from strandline import lists

    api_key = _content(api_key_file) if api_key_file else os.environ.get(API_KEY)
    with downloading() as progress:
        synced = lists.sync(
            url, directory, vkey=_key(key), api_key=api_key or None, progress=progress
        )
    state = "now held" if synced.changed else "already held"
    click.echo(
        f"{_described(synced.manifest)} Signature verified; {state} in {printable(directory)}."
    )


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
def verify(directory: Path) -> None:
    """Check every byte of the copy in DIR against what its publisher signed.

    The exit status is 1 when any file differs, is missing or does not belong.
    """
    from strandline import lists

    click.echo(f"{_described(lists.verify(directory))} Every file is as it was signed.")


@lists.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.argument("paths", metavar="FILES...", type=_ANY, nargs=-1, required=True)
@click.option(
    "--radius",
    type=click.IntRange(0, 64),
    default=31,
    show_default=True,
    help="Bits of 256 in which a picture may differ from an entry.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, on its line.")
@click.pass_context
def match(
    context: click.Context, directory: Path, paths: tuple[Path, ...], radius: int, *, as_json: bool
) -> None:
    """Say which FILES are on the list in DIR; every file below a folder is compared.

    The exit status is 0 whether or not there are matches, and 1 when a file could not be read as a
    picture: the others were still compared.
    """
    from strandline import lists

    seen = matched = unread = 0
    with counting("compared") as count:
        for found in count.over(lists.match(directory, files_under(paths), radius=radius)):
            seen += 1
            matched += bool(found.hits)
            unread += found.problem is not None
            if as_json:
                count.echo(json.dumps(_as_json(found)))
            elif found.problem:
                count.echo(f"{printable(found.path)}: {found.problem}", err=True)
            else:
                _echo_hits(count, found)
    click.echo(f"{seen} compared, {matched} on the list, {unread} could not be read.", err=True)
    context.exit(1 if unread else 0)


def _echo_hits(count: Count, found: "FileMatches") -> None:
    for hit in found.hits:
        near = "the same bytes" if hit.algorithm == "sha256" else f"{hit.distance} bits away"
        count.echo(f"{printable(found.path)}: {hit.entry.id} ({hit.entry.category}), {near}")


def _as_json(found: "FileMatches") -> dict[str, object]:
    return {
        "file": str(found.path),
        "sha256": found.sha256,
        "quality": found.quality,
        "too_plain": found.too_plain,
        "problem": found.problem,
        "matches": [
            {
                "id": hit.entry.id,
                "kind": hit.entry.kind,
                "category": hit.entry.category,
                "labels": hit.entry.labels,
                "algorithm": hit.algorithm,
                "distance": hit.distance,
                "radius": hit.radius,
                "edition": hit.edition,
            }
            for hit in found.hits
        ],
    }


def _key(text: str | None) -> str | None:
    """The key itself, or the content of the file that holds it."""
    if text is None or re.fullmatch(r"\S+\+[0-9a-f]{8}\+\S+", text):
        return text
    try:
        return _content(Path(text))
    except OSError as error:
        raise ListRefused(
            f"--key {text!r} is neither a verifier key (name+1a2b3c4d+AbC…) nor a file with one."
        ) from error


def _content(path: Path) -> str:
    """A key in a file; what is no text becomes a key that is refused with a sentence."""
    return path.read_text("utf-8", errors="replace").strip()


def _described(manifest: "Manifest") -> str:
    published = manifest.published.strftime("%Y-%m-%d %H:%M UTC")
    entries = f"{manifest.entries} {'entry' if manifest.entries == 1 else 'entries'}"
    return f"Edition {manifest.edition} of {manifest.origin}, {published}, {entries}."
