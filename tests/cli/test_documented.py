"""docs/commands.md tells every command and every option, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from strandline.cli import cli

PAGE = Path(__file__).parents[2] / "docs/commands.md"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, f"{path} {name}")


def sections() -> dict[str, str]:
    """Heading -> text, of the headings that name a command."""
    parts = re.split(r"^#+ `(strandline[^`]*)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


COMMANDS = dict(commands(cli, "strandline"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_section_that_names_its_options_and_arguments(path):
    section = sections().get(path)
    assert section is not None, f"docs/commands.md has no section `{path}`"
    for parameter in COMMANDS[path].params:
        is_option = isinstance(parameter, click.Option)
        names = parameter.opts if is_option else [parameter.make_metavar(click.Context(cli))]
        for name in names:
            assert re.search(rf"{re.escape(name)}(?!\w)", section), f"`{path}` lacks {name}"


def test_no_section_is_about_a_command_that_is_gone():
    assert set(sections()) <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_does(path):
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts}"
