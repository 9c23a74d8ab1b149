"""``./scripts/bench NAME``: one benchmark, as a table that grows or as one JSON object."""

import inspect
import json
import os
import platform
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.case import Case

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if not path.stem.startswith("_") and path.stem != "case"
)
PAGE = "page"


def machine() -> str:
    """What ran it, in a line: ratios travel between machines, times do not."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


@click.command()
@click.argument("name", type=click.Choice([*NAMES, PAGE]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the JSON object in this file too; it is there after every case.",
)
@click.option("--quick", is_flag=True, help="Smaller sizes, to see that it runs.")
@click.option("--full", is_flag=True, help="The largest sizes too: much memory, much time.")
def main(name: str, *, as_json: bool, output: Path | None, quick: bool, full: bool) -> None:
    """Run the benchmark NAME. Each case is shown on standard error as soon as it is measured.

    NAME "page" measures nothing: it draws docs/figures.md from the runs kept in docs/figures.
    """
    if name == PAGE:
        import_module("bench._page").draw()
        return
    console = Console(stderr=True, highlight=False)
    run = import_module(f"bench.{name}").run
    options = {"quick": quick}
    if "full" in inspect.signature(run).parameters:
        options["full"] = full
    elif full:
        raise click.UsageError(f"{name} has no larger sizes.")
    found: Iterable[Case] = run(console, **options)
    cases: list[Case] = []
    began = time.monotonic()
    about = {"name": name, "machine": machine(), "quick": quick}
    for case in found:
        cases.append(case)
        console.print(f"{time.monotonic() - began:5.0f} s  {line(case)}", markup=False)
        if output:
            _keep(output, {**about, "complete": False, "cases": [each.as_json() for each in cases]})
    result = {**about, "complete": True, "cases": [case.as_json() for case in cases]}
    if output:
        _keep(output, result)
    if as_json:
        click.echo(json.dumps(result))
    else:
        shown = Console(width=160, highlight=False)
        shown.print(_table(name, cases))
        for case in cases:
            if case.note:
                shown.print(f"{case.case}: {case.note}", markup=False)


def line(case: Case) -> str:
    """A case in a line, as it is shown when it ends."""
    parts = [f"{case.case}: {_value(case.ours)} {case.unit}"]
    if case.peer_value is not None:
        parts.append(f"{case.peer} {_value(case.peer_value)}")
    if case.ratio is not None:
        parts.append(f"{case.ratio:.3g}×")
    if case.limit is not None:
        parts.append(f"limit {_value(case.limit)}")
    if case.met is False:
        parts.append("NOT AS PROMISED")
    return "; ".join(parts)


def _value(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}×"


def _promised(case: Case) -> str:
    parts = [] if case.at_least is None else [f"≥ {case.at_least:g}×"]
    parts += [] if case.at_most is None else [f"≤ {case.at_most:g} {case.unit}"]
    mark = {None: "", True: " ✓", False: " ✗"}[case.met]
    return (", ".join(parts) or "–") + mark


def _limit(case: Case) -> str:
    if case.limit is None:
        return "–"
    return _value(case.limit) + (f" ({case.limit_is})" if case.limit_is else "")


def _table(name: str, cases: list[Case]) -> Table:
    table = Table(title=f"{name} — {machine()}", title_justify="left", show_lines=False)
    for heading in ("case", "ours", "peer", "peer ÷ ours", "promised", "limit", "ours ÷ limit"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for case in cases:
        table.add_row(
            case.case,
            f"{_value(case.ours)} {case.unit}",
            "–" if case.peer_value is None else f"{_value(case.peer_value)} ({case.peer})",
            _times(case.ratio),
            _promised(case),
            _limit(case),
            _times(case.limit_ratio),
        )
    return table


def _keep(path: Path, result: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    beside.replace(path)


if __name__ == "__main__":
    main()
