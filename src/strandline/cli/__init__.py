"""The ``strandline`` command: what a person types, and nothing that decides.

Each command parses its options, calls one function of a room and prints what came of it. The table
in ``registry`` names every command; its code is imported only when it is used, so that
``strandline --help`` answers at once.
"""

import os
import sys
from collections.abc import Sequence

import click

from strandline import __version__
from strandline.cli.files import printable
from strandline.cli.registry import LazyGroup
from strandline.errors import StrandlineError

#: The exit statuses, as ``--help`` and docs/commands.md give them.
FAILED, USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141

_EPILOG = """\
\b
Exit status:
  0    done
  1    refused or failed; a sentence on standard error says what and why
  2    the command was not understood
  130  interrupted with Ctrl-C
  141  whoever read the output closed it
"""


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"strandline {__version__}")
        context.exit()


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Strandline: report, assess once, fingerprint, remove, recognise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; a refusal becomes a sentence."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    status = 0
    try:
        # Not ``cli.main``, which gives a closed pipe and an interruption a status of its own.
        with cli.make_context("strandline", typed) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        status = done.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more on its way out, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except StrandlineError as error:
        said = "\n".join(map(printable, error.message.splitlines()))
        click.echo(f"Error: {said}", err=True)
        status = FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        click.echo(f"Error: {printable(place)}{error.strerror or error}.", err=True)
        status = FAILED
    except ModuleNotFoundError as error:
        click.echo(
            f"Error: This command needs {error.name}, which is not installed. Install the "
            "hotline's part: pip install 'strandline[hotline]'",
            err=True,
        )
        status = FAILED
    except Exception as error:
        if os.environ.get("STRANDLINE_TRACEBACK"):
            raise
        what = printable(" ".join(f"{type(error).__name__}: {error}".split()))
        click.echo(
            f"Error: This could not be done. {what}\nWhat was finished before stays as it is. "
            "STRANDLINE_TRACEBACK=1 shows where it happened.",
            err=True,
        )
        status = FAILED
    return status
