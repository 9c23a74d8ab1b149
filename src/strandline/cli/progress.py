"""Progress for a person who is watching: a bar on a terminal, nothing in a pipe or a log."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

T = TypeVar("T")


class Count:
    """Counts what is done, and prints lines without tearing the bar. Made by ``counting``."""

    def __init__(self, bar: "Progress | None", what: str) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=None) if bar else None

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """Pass ``items`` on, counting those that are done."""
        for item in items:
            yield item
            if self._bar and self._task is not None:
                self._bar.advance(self._task)

    def echo(self, line: str, *, err: bool = False) -> None:
        """Print a line on standard output, or on standard error."""
        if self._bar and (err or sys.stdout.isatty()):
            # Above the bar. As it is: a file's name may look like markup.
            self._bar.console.print(
                line, markup=False, highlight=False, emoji=False, soft_wrap=True
            )
        else:
            click.echo(line, err=err)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Count]:
    """A count of what is done, shown as "``what`` 17" while it lasts."""
    if not sys.stderr.isatty():
        yield Count(None, what)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, redirect_stdout=False
    ) as bar:
        yield Count(bar, what)


@contextlib.contextmanager
def downloading() -> Iterator[Callable[[str, int, int], None] | None]:
    """A callback for ``sync``: bytes done of bytes in all, for each file; None off a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        yield show


@contextlib.contextmanager
def working() -> Iterator[Callable[[str, int, int | None], None] | None]:
    """A callback for long work: what is done, how many, and of how many; None off a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield show
