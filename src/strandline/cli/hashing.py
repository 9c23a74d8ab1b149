"""``strandline hash``: fingerprints of pictures and films."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from strandline.cli.files import files_under, printable
from strandline.cli.progress import Count, counting
from strandline.errors import MediaRefused, StrandlineError, TimedOut

if TYPE_CHECKING:
    from strandline.hashing import FilmHash, HashedFile, ImageHash

#: ``error`` of a file that the system would not let us read; the others are the verdicts.
UNREADABLE = "unreadable"
#: What another try may mend; the other verdicts would be the same.
_MAY_PASS = frozenset({UNREADABLE, TimedOut.verdict})
_PDQ_DIGITS = 64


@click.command("hash")
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
)
@click.option(
    "--mode",
    type=click.Choice(["exact", "fast"]),
    default="exact",
    show_default=True,
    help="'exact' gives the reference's very bits; 'fast' decodes less and drifts by a few.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, on its line.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Add JSON lines to FILE; files that are in it already are not hashed again.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 256),
    help="How many processes decode; as many as there are processors unless given.",
)
@click.pass_context
def hash_files(
    context: click.Context,
    paths: tuple[str, ...],
    *,
    mode: str,
    as_json: bool,
    output: Path | None,
    workers: int | None,
) -> None:
    """Fingerprint each picture or film at PATH, and every file below a folder.

    A PATH of '-' reads paths from standard input, one a line. Each line gives the PDQ hash, its
    quality (below 50 a picture is too plain to fingerprint), the sha256 and the file. The
    exit status is 1 when a file could not be read as a picture or a film: the others were still
    done.
    """
    from strandline import hashing

    how = hashing.Mode(mode)
    if not all(paths):
        raise click.UsageError("A PATH is empty. Is a variable of your script not set?")
    folders: dict[Path, OSError] = {}
    failed: list[Path] = []
    ours = frozenset({hashing.pipeline(how), hashing.FILM_PIPELINE})
    with _going_on_in(output, ours) as (earlier, kept), counting("hashed") as count:
        wanted = _left_to_do(_named(paths, folders), earlier, failed)
        for hashed in count.over(hashing.hash_files(wanted, mode=how, workers=workers)):
            error = folders.get(hashed.path, hashed.error)
            if error is not None:
                failed.append(hashed.path)
                hashed = hashing.HashedFile(hashed.path, error=error)  # noqa: PLW2901 - says why
            if kept:
                kept.write(json.dumps(_object(hashed)) + "\n")
                kept.flush()
            elif as_json:
                count.echo(json.dumps(_object(hashed)))
            else:
                _show(count, hashed)
    context.exit(1 if failed else 0)


def _named(paths: Iterable[str], unread: dict[Path, OSError]) -> Iterator[Path]:
    """Every file that was named, on the command line or on standard input."""
    for path in paths:
        if path != "-":
            yield from files_under([Path(path)], unread)
        elif sys.stdin is not None:  # it may have been closed
            lines = (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
            yield from files_under((Path(os.fsdecode(line)) for line in lines if line), unread)


def _left_to_do(
    paths: Iterable[Path], earlier: Mapping[str, str | None], failed: list[Path]
) -> Iterator[Path]:
    """Paths without a lasting answer; those whose answer was a verdict go into ``failed``."""
    for path in paths:
        error = earlier.get(str(path), UNREADABLE)
        if error in _MAY_PASS:
            yield path
        elif error is not None:
            failed.append(path)


@contextlib.contextmanager
def _going_on_in(
    output: Path | None, ours: frozenset[str]
) -> Iterator[tuple[dict[str, str | None], IO[str] | None]]:
    """The error, if any, of each path in ``output``, and the file to go on in; none without one.

    A last line that was cut off when an earlier run ended is taken away and made again.
    """
    if output is None:
        yield {}, None
        return
    with output.open("a+b") as file:
        file.seek(0)
        earlier: dict[str, str | None] = {}
        end = 0
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                path, error = _kept_in(line, f"Line {number} of {output}", ours)
                earlier[path] = error
                end += len(line)
        file.truncate(end)
        yield earlier, io.TextIOWrapper(file, encoding="utf-8")


def _kept_in(line: bytes, place: str, ours: frozenset[str]) -> tuple[str, str | None]:
    try:
        row = json.loads(line)
        path, error, pipeline = str(row["path"]), row.get("error"), row.get("pipeline")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StrandlineError(
            f"{place} is not from 'strandline hash'. Nothing was added to that file. "
            "Name another one to write to."
        ) from None
    if pipeline is not None and pipeline not in ours:
        raise StrandlineError(
            f"{place} was made by {pipeline}, and hashes would now be made by "
            f"{' or '.join(sorted(ours))}: they do not compare exactly. Nothing was added to that "
            "file. Name another one to write to."
        )
    return path, error


def _object(hashed: "HashedFile") -> dict[str, Any]:
    """What ``--json`` prints of one file."""
    row: dict[str, Any] = {"path": str(hashed.path)}
    if hashed.error is not None:
        error, message = _problem(hashed.error)
        return row | {"error": error, "message": message}
    if hashed.film:
        row |= _film(hashed.film)
    return row | _image(hashed.image) if hashed.image else row


def _image(image: "ImageHash") -> dict[str, Any]:
    return {
        "kind": image.kind,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "truncated": image.truncated,
        **asdict(image.digests),
        "pdq": image.pdq,
        "quality": image.quality,
        "too_plain": image.too_plain,
        "pipeline": image.pipeline,
    }


def _film(film: "FilmHash") -> dict[str, Any]:
    return {
        "kind": film.kind,
        "format": film.format,
        "codec": film.codec,
        "width": film.width,
        "height": film.height,
        "duration": round(film.duration, 3),
        "truncated": film.truncated,
        **asdict(film.digests),
        "frames": [asdict(frame) for frame in film.frames],
        "too_plain": film.too_plain,
        "pipeline": film.pipeline,
    }


def _problem(error: MediaRefused | OSError) -> tuple[str, str]:
    if isinstance(error, MediaRefused):
        return error.verdict, error.message
    return UNREADABLE, f"It cannot be read: {error.strerror or error}."


def _show(count: Count, hashed: "HashedFile") -> None:
    """Print one file for a person, or what went wrong with it on standard error."""
    if hashed.error is not None:
        count.echo(f"{printable(hashed.path)}: {_problem(hashed.error)[1]}", err=True)
        return
    if hashed.image:
        found: ImageHash | FilmHash = hashed.image
        what, quality = hashed.image.pdq, hashed.image.quality
    else:
        assert hashed.film
        found, frames = hashed.film, hashed.film.frames
        what = f"film of {hashed.film.duration:.0f} s, {len(frames)} fingerprints"
        quality = max((frame.quality for frame in frames), default=0)
    if found.too_plain:
        what = "too plain to fingerprint"
    note = "  (cut off or damaged: as far as it goes)" if found.truncated else ""
    row = f"{what:{_PDQ_DIGITS}}  {quality:3}  {found.digests.sha256}  {printable(hashed.path)}"
    count.echo(row + note)
