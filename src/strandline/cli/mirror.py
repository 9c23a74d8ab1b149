"""``strandline mirror``: a verified copy of a log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from strandline.cli.files import printable
from strandline.cli.keys import key_text
from strandline.cli.progress import working


@click.command()
@click.argument("url")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", metavar="VKEY", required=True, help="The log's verifier key, or its file.")
@click.option(
    "--witness",
    "witnesses",
    metavar="VKEY",
    multiple=True,
    help="A witness's verifier key, or its file; as often as there are witnesses.",
)
@click.option("--quorum", metavar="N", type=int, help="Witnesses that must have cosigned.")
@click.option("--fresh", metavar="HOURS", type=float, help="Refuse an older state.")
def mirror(
    url: str,
    directory: Path,
    *,
    key: str,
    witnesses: tuple[str, ...],
    quorum: int | None,
    fresh: float | None,
) -> None:
    """Bring DIR to a verified copy of the log at URL, to be served by any web server.

    Every entry is checked before it is kept. A run that was interrupted goes on where it was.
    """
    from strandline.fetching import NamedSite
    from strandline.transparency import CosignatureVerifier, Verifier, open_checkpoint
    from strandline.transparency import mirror as copying

    site = NamedSite.open(url)
    known = [CosignatureVerifier.from_vkey(key_text(each)) for each in witnesses]
    opened = open_checkpoint(
        site.read("checkpoint"),
        Verifier.from_vkey(key_text(key)),
        known,
        len(known) if quorum is None else quorum,
        now=datetime.now(UTC),
        fresh=None if fresh is None else timedelta(hours=fresh),
    )
    with working() as progress:
        mirrored = copying.mirror(
            site.read,
            directory,
            opened,
            progress and (lambda done, total: progress("Leaves", done, total)),
        )
    click.echo(
        f"{directory} holds the {mirrored.checkpoint.size} leaves of "
        f"{printable(mirrored.checkpoint.origin)}, {mirrored.added} of them new."
    )
