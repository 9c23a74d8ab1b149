"""``strandline index``: an exact index of hashes, built, changed and asked from files of lines."""

import dataclasses
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.files import printable
from strandline.cli.index_answers import (
    cluster_rows,
    entries,
    json_answer,
    json_cluster,
    json_refused,
    rows,
    told,
)
from strandline.cli.progress import counting, working

if TYPE_CHECKING:
    from strandline.cli.hash_lines import Block, Line
    from strandline.matching import Match, Refused

#: Queries asked at once, at most; fewer while each has many matches.
_QUERIES, _MATCHES = 32, 50_000
#: What the command line makes of bytes that are no text: no id has any.
_NO_TEXT = re.compile("[\ud800-\udfff]")

_INDEX = click.argument("path", metavar="INDEX", type=click.Path(path_type=Path, dir_okay=False))
_HASHES = click.argument(
    "hashes", metavar="HASHES", type=click.Path(path_type=Path, allow_dash=True)
)
_RADIUS = click.option(
    "--radius",
    type=click.IntRange(0, 256),
    default=31,
    show_default=True,
    help="Bits of 256 in which two hashes may differ.",
)
_STRICT = click.option(
    "--strict", is_flag=True, help="Change nothing, with exit status 1, when a line is refused."
)


@click.group()
def index() -> None:
    """Build, query and keep an exact index of hashes.

    HASHES is a file with one hash of 64 hex digits to a line, and after tabs, if you like, its id
    and its labels with commas between; - is standard input.
    """


@index.command()
@_HASHES
@click.option(
    "-o",
    "--output",
    "path",
    metavar="INDEX",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace INDEX if it is there.")
@_STRICT
def build(hashes: Path, path: Path, *, force: bool, strict: bool) -> None:
    """Index the lines of HASHES.

    A line that cannot be read is told with its number and left out. The id of a line that names
    none is its number. INDEX appears once it is complete.
    """
    from strandline.cli.index_input import built, lines_of

    if path.exists() and not force:
        raise click.ClickException(
            f"{printable(path)} is there already and was left as it is. --force replaces it."
        )
    if not path.absolute().parent.is_dir():
        raise click.ClickException(f"There is no folder {printable(path.absolute().parent)}.")
    with lines_of(hashes, strict=strict) as lines, built(lines, path) as held:
        count = len(held)
    click.echo(f"{entries(count)} in {printable(path)}.{lines.left_out()}", err=True)


@index.command()
@_INDEX
@_HASHES
@_STRICT
def add(path: Path, hashes: Path, *, strict: bool) -> None:
    """Add the lines of HASHES; they are found at once.

    The id of a line that names none is its number here too: name the ones you may want to withdraw.
    """
    from strandline.cli.index_input import lines_of
    from strandline.matching import Index

    with Index.open(path) as held:
        before = len(held)
        with lines_of(hashes, strict=strict) as lines:
            held.add(lines.entries())
        after = len(held)
    known = lines.accepted - (after - before)
    was_there = f" {known:,} were there already." if known else ""
    added = f"{entries(after - before)} added, {after:,} in all."
    click.echo(f"{added}{was_there}{lines.left_out()}", err=True)


@index.command()
@_INDEX
@click.argument("ids", metavar="IDS...", nargs=-1, required=True)
def withdraw(path: Path, ids: tuple[str, ...]) -> None:
    """Withdraw every entry of IDS at once; - reads ids from standard input, one to a line.

    The exit status is 1 when no entry has any of them.
    """
    from strandline.matching import Index

    names: Iterable[str] = ids
    if ids == ("-",):
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
        names = [name for line in text.split("\n") if (name := line.strip())]
    with Index.open(path) as held:
        gone = held.withdraw([name for name in names if not _NO_TEXT.search(name)])
        left = len(held)
    if not gone:
        raise click.ClickException(
            f"No entry of {printable(path)} has such an id; nothing was changed."
        )
    click.echo(f"{entries(gone)} withdrawn, {left:,} left.", err=True)


@index.command()
@_INDEX
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(path: Path, *, as_json: bool) -> None:
    """Say what INDEX holds."""
    from strandline.matching import Index

    with Index.open(path) as held:
        found = dataclasses.asdict(held.info())
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        listed = isinstance(value, list | tuple)
        shown = (" ".join(map(str, value)) or "none") if listed else value
        shown = f"{shown:,}" if isinstance(shown, int) else shown
        click.echo(f"{name:{width}}  {shown}")


@index.command()
@_INDEX
def verify(path: Path) -> None:
    """Read all of INDEX; the exit status is 1 when anything in it is not as it was written."""
    from strandline.matching import Index

    with Index.open(path) as held:
        held.verify()
        click.echo(f"{entries(len(held))}, all as they were written.")


@index.command()
@_INDEX
@_HASHES
@_RADIUS
@click.option(
    "--label",
    "labels",
    metavar="LABEL",
    multiple=True,
    help="Only entries with this label; may be given again for any of several.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each query, on a line.")
@click.pass_context
def query(
    context: click.Context,
    path: Path,
    hashes: Path,
    radius: int,
    labels: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Say which entries of INDEX lie within --radius bits of each hash in HASHES.

    Answers come in the order of the lines, nearest entry first. The exit status is 0 whether or not
    there are matches, and 1 when a line could not be read: the others were still answered.
    """
    from strandline.cli.hash_lines import read
    from strandline.cli.index_input import opened
    from strandline.matching import Index, Refused

    if not all(labels):
        raise click.UsageError("A LABEL is empty. Is a variable of your script not set?")
    asked = matched = unread = 0
    with Index.open(path) as held, opened(hashes) as stream, counting("asked") as count:

        def ask(wanted: Sequence[str]) -> "list[list[Match]]":
            return held.query_many(wanted, radius, labels=labels or None)

        for item, matches in count.over(_answers(ask, read(stream))):
            asked += 1
            if isinstance(item, Refused):
                unread += 1
                count.echo(json_refused(item) if as_json else told(item), err=not as_json)
            elif as_json:
                count.echo(json_answer(item, matches))
            elif matches:
                count.echo(rows(item, matches))
            matched += bool(matches)
    click.echo(f"{asked:,} asked, {matched:,} matched, {unread:,} could not be read.", err=True)
    context.exit(1 if unread else 0)


@index.command()
@_INDEX
@_RADIUS
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each cluster.")
def cluster(path: Path, radius: int, *, as_json: bool) -> None:
    """Say which entries of INDEX belong together, the largest cluster first.

    Two entries belong together when they lie within --radius bits of each other, or are linked so
    by others. An entry that is alone is not shown.
    """
    from strandline.matching import Index

    together = 0
    with Index.open(path) as held:
        with working() as progress:
            clusters = held.clusters(radius, progress=progress)
        for number, members in enumerate(clusters, 1):
            together += len(members)
            for piece in json_cluster(members) if as_json else cluster_rows(number, members):
                click.echo(piece, nl=False)
    noun = "cluster" if len(clusters) == 1 else "clusters"
    click.echo(f"{len(clusters):,} {noun}, {entries(together)}.", err=True)


def _answers(
    ask: "Callable[[Sequence[str]], list[list[Match]]]", blocks: "Iterable[Block]"
) -> "Iterator[tuple[Line | Refused, list[Match]]]":
    """Each line with its matches, in order; as many at once as their matches leave room for."""
    from strandline.matching import Refused

    at_once = 16
    for block in blocks:
        items = block.items()
        while some := list(itertools.islice(items, at_once)):
            found = ask([item.hash for item in some if not isinstance(item, Refused)])
            answers = iter(found)
            for item in some:
                yield item, [] if isinstance(item, Refused) else next(answers)
            mean = sum(map(len, found)) // len(some) + 1
            at_once = max(1, min(2 * at_once, _QUERIES, _MATCHES // mean))
