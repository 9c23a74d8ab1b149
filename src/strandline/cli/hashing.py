"""``strandline hash``: fingerprints of pictures."""

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.files import files_under, printable
from strandline.cli.progress import Count, counting
from strandline.errors import MediaRefused

if TYPE_CHECKING:
    from strandline.hashing import ImageHash


@click.command("hash")
@click.argument(
    "paths", metavar="PATH...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, on its line.")
@click.pass_context
def hash_files(context: click.Context, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Fingerprint each picture at PATH, and every file below a folder.

    Each line gives the PDQ hash, its quality (below 50 a picture is too plain to be recognised by
    it), the sha256 and the file. The exit status is 1 when a file could not be read as a picture:
    the others were still done.
    """
    from strandline.hashing import hash_image, open_sandbox

    unread = 0
    with open_sandbox() as sandbox, counting("hashed") as count:
        for path in count.over(files_under(paths)):
            try:
                image = hash_image(_file(path), sandbox)
            except (MediaRefused, OSError) as error:
                unread += 1
                _report(count, path, error, as_json=as_json)
            else:
                count.echo(_json_line(path, image) if as_json else _line(path, image))
    context.exit(1 if unread else 0)


def _file(path: Path) -> Path:
    """Refuse what is there but no file: reading a pipe would wait for ever."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is not a file")
    return path


def _line(path: Path, image: "ImageHash") -> str:
    return f"{image.pdq}  {image.quality:3}  {image.digests.sha256}  {printable(path)}"


def _json_line(path: Path, image: "ImageHash") -> str:
    values = {
        "file": str(path),
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "truncated": image.truncated,
        "md5": image.digests.md5,
        "sha1": image.digests.sha1,
        "sha256": image.digests.sha256,
        "pdq": image.pdq,
        "quality": image.quality,
        "pipeline": image.pipeline,
        "problem": None,
    }
    return json.dumps(values)


def _report(count: Count, path: Path, error: MediaRefused | OSError, *, as_json: bool) -> None:
    if isinstance(error, MediaRefused):
        problem = error.message
    else:
        problem = f"It cannot be read: {error.strerror}."
    if as_json:
        count.echo(json.dumps({"file": str(path), "problem": problem}))
    else:
        count.echo(f"{printable(path)}: {problem}", err=True)
