"""``strandline witness``: cosigns logs for anyone who wants it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.keys import key_text

if TYPE_CHECKING:
    from strandline.transparency import CosignatureSigner
    from strandline.transparency.witness_app import Application

KEY, STATE = "key", "cosigned.sqlite3"


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The witness's name, like witness.example.org/1. For the first start.")
@click.option(
    "--log",
    "logs",
    metavar="VKEY",
    multiple=True,
    help="A log's verifier key, or a file with one on each line; may be repeated.",
)
@click.option("--bind", default="127.0.0.1:8130", show_default=True, help="Address and port.")
@click.option(
    "--clock-file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that holds the time, for simulations. Never for a witness others rely on.",
)
@click.option("--vkey", "only_key", is_flag=True, help="Print the witness's key and stop.")
def witness(
    directory: Path,
    name: str | None,
    logs: tuple[str, ...],
    bind: str,
    *,
    clock_file: Path | None,
    only_key: bool,
) -> None:
    """Cosign the checkpoints of logs over HTTP, keeping key and state in DIR.

    The key is made at the first start. What was cosigned outlives any kill. Never use a copy of DIR
    beside the original, nor an old backup: the witness would vouch for two histories.
    """
    from strandline.transparency import Verifier
    from strandline.transparency.witness import Witness
    from strandline.transparency.witness_app import witness_app

    signer = _signer(directory, name)
    if only_key:
        click.echo(signer.vkey)
        return
    if not logs:
        raise click.UsageError("Name the logs to watch: --log VKEY for each.")
    watched = [Verifier.from_vkey(vkey) for text in logs for vkey in _keys(text)]
    made = Witness(directory / STATE, signer, watched, now=lambda: _now(clock_file))
    click.echo(f"{signer.vkey}", err=True)
    for origin in made.origins:
        click.echo(f"Watching {origin}; asked at http://{bind}/add-checkpoint", err=True)
    _serve(witness_app(made), bind)


def _now(clock_file: Path | None) -> datetime:
    if clock_file is None:
        return datetime.now(UTC)
    return datetime.fromisoformat(clock_file.read_text("ascii").strip()).astimezone(UTC)


def _signer(directory: Path, name: str | None) -> "CosignatureSigner":
    from strandline.transparency import CosignatureSigner

    path = directory / KEY
    if not path.exists():
        if name is None:
            raise click.UsageError("The first start makes the witness's key: give it a --name.")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        CosignatureSigner.generate(name).save(path)
    signer = CosignatureSigner.load(path)
    if name not in {None, signer.name}:
        raise click.UsageError(f"{directory} holds the key of {signer.name}, not of {name}.")
    return signer


def _keys(text: str) -> list[str]:
    """Keys of a file's lines, also in the form ``log VKEY URL`` of a tlog-policy."""
    words = [line.split() for line in key_text(text).splitlines()]
    kept = [line for line in words if line and not line[0].startswith("#")]
    return [line[1] if line[0] == "log" and len(line) > 1 else line[0] for line in kept]


def _serve(application: "Application", bind: str) -> None:
    from gunicorn.app.base import Application as Gunicorn

    from strandline.cli.hotline import gunicorn_options

    class Server(Gunicorn):  # type: ignore[misc]
        def init(self, _parser: object, _options: object, _arguments: object) -> None:
            """No module is named on the command line."""

        def load(self) -> "Application":
            return application

    sys.argv = ["gunicorn", *gunicorn_options(bind, threads=8)]
    Server().run()
