"""``strandline list certify``: another hotline puts its name to an edition it has looked at."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import click

from strandline.cli.moments import moment
from strandline.errors import ListRefused

API_KEY = "STRANDLINE_API_KEY"
_FOLDER = click.Path(path_type=Path, file_okay=False, readable=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@click.option("--key", "key_file", metavar="FILE", type=_FILE, help="Your signing key.")
@click.option(
    "--publisher", metavar="URL", help="Address of the publisher's partners' face; none: print."
)
@click.option(
    "--api-key-file",
    metavar="FILE",
    type=_FILE,
    help=f"File that holds your API key. Without it, the environment's {API_KEY} is used.",
)
@click.option(
    "--beacon",
    metavar="NAME:ROUND:VALUE",
    help="Public randomness that came after the edition: draws the entries to be looked at.",
)
@click.option(
    "--sample",
    "size",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=300,
    show_default=True,
    help="How many entries are looked at.",
)
@click.option(
    "--results",
    metavar="FILE",
    type=_FILE,
    help="What was found: the drawn lines, 'entry-17 ok' or 'entry-17 bad WORD'.",
)
@click.option(
    "--protocol",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the signed protocol of the audit is written.",
)
@click.option(
    "--at",
    metavar="TIME",
    help="Judge what is current as of this time (2026-03-02T09:00Z) instead of now.",
)
def certify(
    directory: Path,
    *,
    key_file: Path | None,
    publisher: str | None,
    api_key_file: Path | None,
    beacon: str | None,
    size: int,
    results: Path | None,
    protocol: Path | None,
    at: str | None,
) -> None:
    """Certify the edition in DIR, your own copy, after every byte of it was checked.

    With --beacon and without --results, print which entries are to be looked at, and sign nothing.
    """
    from strandline.lists import certifying
    from strandline.lists.auditing import Beacon
    from strandline.transparency import Signer

    now = moment(at) or datetime.now(UTC)
    value = Beacon.parse(beacon) if beacon else None
    if value and results is None:
        manifest, numbers = certifying.sample(directory, value, size=size, now=now)
        click.echo(
            f"{len(numbers)} entries of edition {manifest.edition} are to be looked at. Write "
            "'ok' or 'bad WORD' after each and give the file as --results.",
            err=True,
        )
        for number in numbers:
            click.echo(f"entry-{number}")
        return
    if key_file is None:
        raise click.UsageError("Give your signing key with --key.")
    if (results is None) != (value is None) or (results is None) != (protocol is None):
        raise click.UsageError("An audit needs --beacon, --results and --protocol together.")
    audited = None
    if results and value:
        audited = certifying.Audited(value, _results(results))
    note, text = certifying.vouch(directory, Signer.load(key_file), audited=audited, now=now)
    if text and protocol:
        protocol.write_text(text)
    if publisher is None:
        click.echo(note, nl=False)
        return
    api_key = api_key_file.read_text().strip() if api_key_file else os.environ.get(API_KEY, "")
    state = certifying.submit(publisher, note, api_key=api_key)
    click.echo(f"Certified; the publisher has it ({state}).")


def _results(path: Path) -> dict[int, str]:
    """What people wrote after each drawn entry."""
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.fullmatch(r"entry-([1-9][0-9]{0,15}) (?:(ok)|bad ([a-z][a-z0-9-]{0,39}))", line)
        if match is None:
            raise ListRefused(
                f"Line {number} of {path} is neither 'entry-17 ok' nor 'entry-17 bad WORD'. "
                "Nothing was signed."
            )
        found[int(match[1])] = match[2] or match[3]
    return found
