"""Every command by name, with the help that ``--help`` shows before any of its code is imported."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is imported when it is used."""

    #: ``module:attribute`` of the click command.
    target: str
    #: One line, as ``--help`` lists it.
    help: str


#: The commands of ``strandline``. To add one, add a line here and a section to docs/commands.md.
LAZY: Mapping[str, Lazy] = {
    "audit": Lazy("strandline.cli.hotline:audit", "Check the audit chain; sign checkpoints of it."),
    "demo": Lazy("strandline.cli.demo:demo", "The whole story on a simulated web, and its site."),
    "init": Lazy("strandline.cli.hotline:init", "Make a hotline's keys and database."),
    "member": Lazy("strandline.cli.hotline:member", "Add organisations that receive the list."),
    "person": Lazy("strandline.cli.hotline:person", "Add people who work here."),
    "serve": Lazy("strandline.cli.hotline:serve", "Serve one face of the hotline."),
    "worker": Lazy("strandline.cli.hotline:worker", "Do due work: captures, notices, looks."),
    "compare": Lazy("strandline.cli.compare:compare", "Are these versions of one picture?"),
    "hash": Lazy("strandline.cli.hashing:hash_files", "Fingerprint pictures."),
    "index": Lazy("strandline.cli.index:index", "Build, query and keep an exact index of hashes."),
    "mirror": Lazy("strandline.cli.mirror:mirror", "Keep a verified copy of a log."),
    "monitor": Lazy("strandline.cli.monitor:monitor", "Follow a log and say what is wrong."),
    "witness": Lazy("strandline.cli.witness:witness", "Cosign logs for anyone who wants it."),
    "list": Lazy("strandline.cli.lists:lists", "Fetch, check and use a published hash list."),
}


class LazyGroup(click.Group):
    """A group whose commands come from ``LAZY``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names in alphabetical order."""
        return sorted(LAZY)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of this name."""
        if cmd_name not in LAZY:
            return None
        module, _, attribute = LAZY[cmd_name].target.partition(":")
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "strandline":
                raise
            raise click.ClickException(
                f"'strandline {cmd_name}' needs {error.name}, which is not installed. "
                "Install the hotline's part: pip install 'strandline[hotline]'"
            ) from error
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that is not known is answered with the nearest that is."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        rows = [(name, LAZY[name].help) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
