"""``strandline demo``: the whole story on a simulated web, and the site on what it left."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

if TYPE_CHECKING:
    from strandline.demo.cast import Cast

_MARK = ".strandline-demo"
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Folder of everything the story leaves.",
)


@click.group()
def demo() -> None:
    """The whole way of a report, on a simulated web: harmless drawn pictures, real sockets."""
    # Sign-ins, mails with their links, the record: nobody else on this machine needs to see them.
    os.umask(0o077)
    # Ended politely, every process that was started here is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@demo.command()
@_OUT
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON: the figures.")
@click.option(
    "--kills",
    default=0,
    type=click.IntRange(0),
    help="Kill the worker so many times at random moments.",
)
@click.option("--database-url", help="PostgreSQL instead of SQLite; see docs/settings.md.")
@click.pass_context
def run(
    context: click.Context, out: Path, *, as_json: bool, kills: int, database_url: str | None
) -> None:
    """Tell the story. The exit status is 0 only if every step was verified by reading it back."""
    from strandline.demo.cast import Cast, Ports, StoryFailed

    console = Console(width=None if os.isatty(1) else 130)
    _make_room(out)
    began = time.monotonic()
    failure = ""
    with Cast(out.resolve() / "site", Ports.free(), database_url=database_url) as cast:
        open_hotline(cast)
        from strandline.demo import account
        from strandline.demo.story import Story

        story = Story(cast, out.resolve(), console.print)
        story.kills_left = kills
        try:
            cast.await_faces()
            story.tell()
        except StoryFailed as failed:
            failure = str(failed)
        endings, figures = story.endings(), story.figures()
        account.leave(
            out,
            told=story.told,
            endings=endings,
            figures=figures,
            failure=failure,
            published=cast.home / "list",
            maildir=Path(cast.web["maildir"]),
        )
    if kills:
        console.print(f"The worker was killed {story.kills} times.")
    if not as_json:
        console.print(account.table(endings))
    console.print(f"Told in {time.monotonic() - began:.0f} s. The account: {out / 'index.html'}")
    if failure:
        click.echo(f"The story stopped. {failure}", err=True)
    else:
        console.print("[green]Every step was verified.[/green]")
    if as_json:
        click.echo(json.dumps(figures))
    context.exit(1 if failure else 0)


@demo.command()
@_OUT
@click.option(
    "--port",
    default=8100,
    type=click.IntRange(1024, 65533),
    show_default=True,
    help="The public face's port; the console has the next, the partners' the one after.",
)
@click.pass_context
def serve(context: click.Context, out: Path, port: int) -> None:
    """Open the site on the demo's data; tells the story first where there is none."""
    from strandline.demo.cast import Cast, Ports, StoryFailed

    if not (out / "record.json").exists():
        click.echo("There is no demo data yet, so the story is told first.")
        # In a process of its own: a process reads a hotline's settings once.
        told = subprocess.run(
            [sys.executable, "-m", "strandline", "demo", "run", "--out", str(out)], check=False
        )
        if told.returncode:
            context.exit(told.returncode)
    with Cast(out.resolve() / "site", Ports(port, port + 1, port + 2)) as cast:
        try:
            open_hotline(cast)
            cast.await_faces()
        except StoryFailed as failed:
            raise click.ClickException(str(failed)) from failed
        cast.start_worker()
        _print_ways_in(cast)
        with _time_passes(cast), contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    click.echo("Closed.")


def open_hotline(cast: "Cast") -> None:
    """Start web and faces, write the settings, make keys and database where they are missing."""
    from strandline.demo.clock import beginning

    cast.directory.mkdir(parents=True, exist_ok=True)
    if not cast.clock.path.exists():
        cast.clock.set(beginning(datetime.now(UTC)))
    cast.start_web()
    cast.write_settings()
    from strandline.cli.hotline import start_django
    from strandline.demo.cast import ORIGIN
    from strandline.hotline.setup import make_home

    make_home(cast.home, origin=ORIGIN)
    cast.start_witnesses()
    cast.start_faces()
    cast.make_trust()
    start_django()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _make_room(out: Path) -> None:
    """An empty folder; refuses to empty one that the demo did not make."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise click.ClickException(
            f"{out} holds something the demo did not make. Choose another --out."
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).write_text(secrets.token_hex(4) + "\n")


@contextlib.contextmanager
def _time_passes(cast: "Cast") -> Iterator[None]:
    """Let the simulated clock run on like a real one while the site is open."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(1):
            cast.clock.advance(timedelta(seconds=1))

    ticking = threading.Thread(target=tick, name="clock")
    ticking.start()
    try:
        yield
    finally:
        stop.set()
        ticking.join()


def _print_ways_in(cast: "Cast") -> None:
    from strandline.demo.people import read_sign_ins

    console = Console(highlight=False, soft_wrap=True)
    console.print("\n[bold]The site is open[/bold] (Ctrl-C closes it)\n")
    for face, what in (
        ("public", "report an address, read an outcome"),
        ("console", "analysts, manager, custodian, administrator"),
        ("partners", "members' API and hosts' answers"),
    ):
        console.print(f"  {face:9} {cast.url(face):28} {what}")
    console.print("\nSign in at the console as\n")
    for person in read_sign_ins(cast.directory):
        console.print(f"  {person.role:15} {person.email:28} {person.password}")
    console.print("")
