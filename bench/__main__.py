"""``./scripts/bench NAME [--json]``: one benchmark, as a table or as one JSON object."""

import json
import os
import platform
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
@click.argument("name", type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quick", is_flag=True, help="Smaller sizes, to see that it runs.")
def main(name: str, *, as_json: bool, quick: bool) -> None:
    """Run the benchmark NAME."""
    console = Console(stderr=True, quiet=as_json)
    cases: list[Case] = import_module(f"bench.{name}").run(console, quick=quick)
    if as_json:
        found = {"name": name, "machine": machine(), "cases": [case.as_json() for case in cases]}
        click.echo(json.dumps(found))
        return
    table = Table(title=f"{name} — {machine()}", title_justify="left")
    for heading in ("case", "ours", "peer", "peer ÷ ours", "limit", "ours ÷ limit"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for case in cases:
        table.add_row(
            case.case,
            f"{case.ours:.3g} {case.unit}",
            "–" if case.peer_value is None else f"{case.peer_value:.3g} ({case.peer})",
            "–" if case.ratio is None else f"{case.ratio:.2g}×",
            "–" if case.limit is None else f"{case.limit:.3g}",
            "–" if case.limit_ratio is None else f"{case.limit_ratio:.2g}×",
        )
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
