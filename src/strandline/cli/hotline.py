"""Commands for whoever runs a hotline: its home, its processes, its people, its audit chain."""

import getpass
import os
import sys
from pathlib import Path

import click

_ROLES = ("analyst", "senior-analyst", "manager", "custodian", "administrator")
_FACES = ("public", "console", "partners")


def start_django(face: str = "worker") -> None:
    """Load the hotline for this process, as ``face``."""
    os.umask(0o077)  # the record, the vault and the list are this user's alone
    os.environ["STRANDLINE_FACE"] = face
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "strandline.hotline.site.settings")
    import django

    django.setup()


@click.command()
@click.option(
    "--origin",
    help="Name in the signing keys: a domain of yours, without a scheme. Default: the setting "
    "STRANDLINE_LIST_ORIGIN, which must say the same.",
)
@click.option(
    "--ceremony",
    is_flag=True,
    help="Make no root of trust for the list: it comes from a ceremony (docs/keys.md).",
)
def init(origin: str | None, *, ceremony: bool) -> None:
    """Make what is missing of a hotline's home (STRANDLINE_HOME): keys, root of trust, database."""
    os.umask(0o077)
    from strandline.hotline.config import read_config
    from strandline.hotline.setup import make_home, make_list_root

    config = read_config()
    if origin not in {None, config.list_origin}:
        raise click.UsageError(
            f"The setting STRANDLINE_LIST_ORIGIN says {config.list_origin}, not {origin}. Set it "
            f"in {config.home / 'strandline.env'} first: the list bears that name for ever."
        )
    made = make_home(config.home, origin=config.list_origin)
    start_django()
    from django.core.management import call_command

    from strandline.hotline import clock

    call_command("migrate", verbosity=0, interactive=False)
    click.echo(f"Home: {config.home}")
    click.echo(f"Keys made: {', '.join(made) if made else 'none, all were there'}.")
    click.echo("Database: up to date.")
    if ceremony:
        click.echo(f"Root of trust: none made. A ceremony puts it into {config.published}.")
        return
    from strandline.lists.trust.keys import grouped

    fingerprint = make_list_root(config, now=clock.now())
    click.echo(
        "Root of trust of the list, with every key on this machine: enough to begin with, and "
        "replaced by a ceremony before others rely on it (docs/keys.md). Its fingerprint, which "
        f"members compare:\n{grouped(fingerprint)}"
    )


@click.command()
@click.option(
    "--name",
    default="worker-1",
    show_default=True,
    help="Each worker needs its own; one that starts again takes its work back at once.",
)
@click.option("--until-idle", is_flag=True, help="Do what is due now, then stop.")
def worker(name: str, *, until_idle: bool) -> None:
    """Do due work: captures, notices, looks, editions. It may be killed at any time."""
    start_django()
    from django.conf import settings

    from strandline.hotline.jobs.tools import Tools
    from strandline.hotline.jobs.worker import run_forever, run_until_idle

    if not until_idle:
        run_forever(worker=name)
    with Tools(settings.HOTLINE) as tools:
        click.echo(f"{run_until_idle(tools, worker=name)} done; nothing more is due.")


@click.command()
@click.argument("face", type=click.Choice(_FACES))
@click.option("--bind", default="127.0.0.1:8100", show_default=True, help="Address and port.")
@click.option(
    "--threads",
    type=click.IntRange(1, 1000),
    default=24,
    show_default=True,
    help="Requests answered at once.",
)
def serve(face: str, bind: str, threads: int) -> None:
    """Serve one FACE of the hotline with gunicorn, logging no visitor's address."""
    os.environ["STRANDLINE_FACE"] = face
    from gunicorn.app.wsgiapp import run

    sys.argv = ["gunicorn", *gunicorn_options(bind, threads), "strandline.hotline.site.wsgi"]
    run()


def gunicorn_options(bind: str, threads: int) -> list[str]:
    """How a face is served: no access log, and no warnings, which name visitors' addresses."""
    worker = "strandline.hotline.site.patience.PatientWorker"
    return [
        "--bind", bind, "--worker-class", worker, "--workers", "1", "--threads", str(threads),
        "--log-level", "error", "--limit-request-line", "4094", "--timeout", "60",
        "--no-control-socket",
    ]  # fmt: skip


@click.group()
def person() -> None:
    """Add people who work here."""


@person.command("add")
@click.argument("email")
@click.option("--name", required=True, help="How pages call them.")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they may do.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File that holds the first password; without it you are asked.",
)
def add_person_command(email: str, name: str, role: str, password_file: Path | None) -> None:
    """Add a person who signs in with EMAIL."""
    password = password_file.read_text().strip() if password_file else getpass.getpass()
    start_django()
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import IntegrityError

    from strandline.hotline import clock
    from strandline.hotline.accounts.roles import Role
    from strandline.hotline.accounts.services import add_person

    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as error:
        raise click.ClickException(" ".join(error.messages)) from error
    try:
        add_person(
            email=email,
            name=name,
            role=Role(role),
            password=password,
            by="command-line",
            now=clock.now(),
        )
    except IntegrityError as error:
        raise click.ClickException(f"Somebody with the address {email} is here already.") from error
    click.echo(f"{name} can now sign in as {email.lower()} ({role}).")


@click.group()
def member() -> None:
    """Add organisations that receive the list."""


@member.command("add")
@click.argument("name")
@click.option("--look-up", is_flag=True, help="Its key asks the match service and nothing else.")
def add_member_command(name: str, *, look_up: bool) -> None:
    """Add the organisation NAME and print its API key, once."""
    start_django()
    from django.db import IntegrityError

    from strandline.hotline import clock
    from strandline.hotline.accounts.roles import Role
    from strandline.hotline.accounts.services import add_key, add_member

    now = clock.now()
    role = Role.LOOK_UP if look_up else Role.MEMBER
    try:
        row = add_member(name=name, by="command-line", now=now)
    except IntegrityError as error:
        raise click.ClickException(f"There is a member called {name} already.") from error
    click.echo(add_key(row, role=role, by="command-line", now=now))


@click.group()
def audit() -> None:
    """Check the audit chain and sign checkpoints of it."""


@audit.command("checkpoint")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to append it; best on another machine's disk. Default: in the home.",
)
def checkpoint(path: Path | None) -> None:
    """Sign how long the chain is now and what its last hash is."""
    start_django()
    from django.conf import settings

    from strandline.hotline.audit import checkpoints
    from strandline.transparency import Signer

    config = settings.HOTLINE
    signer = Signer.load(config.secret_path("audit-signer"))
    path = path or config.home / "audit-checkpoints"
    made = checkpoints.write(path, origin=config.list_origin, signer=signer)
    click.echo(f"Checkpoint of {made.size} entries appended to {path}.")


@audit.command("verify")
@click.option(
    "--checkpoints",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Checkpoints kept elsewhere. Default: the file in the home.",
)
@click.option(
    "--key",
    "vkey",
    metavar="VKEY",
    help="Verifier key of the checkpoints' signer. Default: the one in the home.",
)
@click.pass_context
def verify_command(context: click.Context, path: Path | None, vkey: str | None) -> None:
    """Read the whole chain; name the first entry that was altered, is missing or was cut off.

    The exit status is 1 when anything is wrong.
    """
    start_django()
    from django.conf import settings

    from strandline.hotline.audit import checkpoints
    from strandline.hotline.audit.verify import verify
    from strandline.transparency import Verifier

    config = settings.HOTLINE
    if path is not None and not path.exists():
        raise click.ClickException(f"There is no file {path}: nothing was checked.")
    text = vkey or (config.home / "keys" / "audit-signer.vkey").read_text().strip()
    kept = path or config.home / "audit-checkpoints"
    pinned = checkpoints.read(kept, Verifier.from_vkey(text))
    if path is not None and not pinned:
        raise click.ClickException(f"{path} holds no checkpoint: nothing was checked.")
    found = verify(pinned)
    click.echo(found.message, err=not found.ok)
    context.exit(0 if found.ok else 1)
