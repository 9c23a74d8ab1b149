"""``strandline mirror``: a verified copy of a log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from strandline.cli.files import printable
from strandline.cli.log_trust import settle, trust_options
from strandline.cli.progress import working


@click.command()
@click.argument("url")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@trust_options
@click.option("--fresh", metavar="HOURS", type=float, help="Refuse an older state.")
def mirror(
    url: str,
    directory: Path,
    *,
    root: Path | None,
    key: str | None,
    witnesses: tuple[str, ...],
    quorum: int | None,
    fresh: float | None,
) -> None:
    """Bring DIR to a verified copy of the log at URL, to be served by any web server.

    Every entry is checked before it is kept. A run that was interrupted goes on where it was.
    """
    from strandline.fetching import NamedSite
    from strandline.transparency import mirror as copying
    from strandline.transparency import open_checkpoint

    site = NamedSite.open(url)
    trust = settle(root, key, witnesses, quorum)
    opened = open_checkpoint(
        site.read("checkpoint"),
        trust.log,
        trust.witnesses,
        trust.quorum,
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
