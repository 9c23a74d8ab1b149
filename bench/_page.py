"""The figures page: ``docs/figures.md`` and its pictures, drawn from saved runs by Vega-Lite.

``./scripts/bench NAME -o docs/figures/NAME.json`` saves a run; ``./scripts/bench page`` draws
whatever is saved. Nothing on the page is typed by hand, so that it cannot say more than was
measured.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "figures.md"
RUNS = PAGE.with_suffix("")
#: The order a reader meets them in.
NAMES = ("hashing", "sandbox", "video", "matching", "scale", "cluster", "list", "match_service")
#: A case of the curve of latency is named so.
_SIZE = re.compile(r"one query, N = ([\d,]+)")
#: Cases of the curves of publishing and syncing, by their first words.
_GROWTH = {
    "publish": "publish",
    "sync a new copy, ready to match": "first sync",
    "sync 1,000 more": "sync of 1,000 more",
}
_GROWING = re.compile(r"(memory to )?(.+), N = ([\d,]+)")

_HEAD = """\
# Figures

Drawn by `./scripts/bench page` from the runs kept in [figures](figures); not edited by hand.
`./scripts/bench NAME -o docs/figures/NAME.json` measures one anew. Ours and the peer ran in the
same run on the same machine, two shared and noisy cores: ratios travel, times do not. *Limit* is
what nobody can pass on that machine, such as the bare decode or one read of memory. A promise that
was not kept in the run says so.

![Times faster than the named peer, a bar for each case that has one](figures/peers.svg)

![Latency of one query against the number of hashes in the index](figures/latency.svg)

![Time and memory of publishing and syncing against the number of entries](figures/list.svg)
"""
_INK, _GRID, _OURS, _PEER = "#3b4a54", "#e3e8eb", "#0b7285", "#b08968"
_TENS = [10**power for power in range(-3, 10)]


def draw() -> None:
    """Write the page and its pictures from the saved runs."""
    import vl_convert

    runs = saved()
    PAGE.write_text(page(runs), "utf-8")
    (RUNS / "peers.svg").write_text(vl_convert.vegalite_to_svg(_peers(runs)), "utf-8")
    (RUNS / "latency.svg").write_text(vl_convert.vegalite_to_svg(_latency(runs)), "utf-8")
    (RUNS / "list.svg").write_text(vl_convert.vegalite_to_svg(_growth(runs)), "utf-8")


def saved() -> list[dict[str, Any]]:
    """Every saved run, in the page's order."""
    files = [RUNS / f"{name}.json" for name in NAMES]
    return [json.loads(file.read_text()) for file in files if file.exists()]


def page(runs: Iterable[Mapping[str, Any]]) -> str:
    """Return the Markdown of the page."""
    parts = [_HEAD]
    for run in runs:
        title = run["name"].replace("_", " ").capitalize()
        parts.append(f"\n## {title}\n\n{run['machine']}.\n\n")
        parts.append("| case | ours | peer | peer ÷ ours | promised | limit | ours ÷ limit |\n")
        parts.append("|---|---|---|---|---|---|---|\n")
        parts += [_row(case) for case in run["cases"]]
        notes = [f"- {case['case']}: {case['note']}\n" for case in run["cases"] if case["note"]]
        parts += ["\n", *notes] if notes else []
    return "".join(parts)


def _row(case: Mapping[str, Any]) -> str:
    unit = case["unit"]
    promised = [f"≥ {case['at_least']:g}×"] if case["at_least"] else []
    promised += [f"≤ {case['at_most']:g} {unit}"] if case["at_most"] else []
    kept = {None: "", True: "", False: " (not kept)"}[case["met"]]
    limit = f"{_number(case['limit'])} {unit}, {case['limit_is'] or ''}" if case["limit"] else ""
    cells = [
        case["case"],
        "" if case["ours"] is None else f"{_number(case['ours'])} {unit}",
        f"{case['peer']}: {_number(case['peer_value'])} {unit}" if case["peer_value"] else "",
        _times(case["ratio"]),
        ", ".join(promised) + kept,
        limit.rstrip(", "),
        _times(case["limit_ratio"]),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _times(value: float | None) -> str:
    return "" if value is None else f"{_number(value)}×"


def _chart(title: str, rows: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    """A Vega-Lite chart in the project's quiet colours, on white so that dark pages show it too."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "anchor": "start", "fontSize": 15, "color": _INK, "offset": 16},
        "background": "white",
        "padding": 16,
        "data": {"values": rows},
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "domainColor": _GRID,
                "tickColor": _GRID, "labelFontSize": 12, "titleFontSize": 12,
                "titleFontWeight": "normal", "labelLimit": 420,
            },
        },
        **rest,
    }  # fmt: skip


def _peers(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "case": case["case"],
            "ratio": case["ratio"],
            "end": max(case["ratio"], 1),
            "label": _times(case["ratio"]),
        }
        for run in runs
        # The match service's peer is an index in its own process: no like for like.
        if run["name"] != "match_service"
        for case in run["cases"]
        if case["ratio"] and case["unit"] != "bytes" and not _SIZE.search(case["case"])
    ]
    y = {"field": "case", "type": "nominal", "sort": None, "title": None}
    x = {
        "field": "ratio", "type": "quantitative", "scale": {"type": "log", "domainMin": 0.3},
        "title": "times faster (logarithmic); 1 is as fast as the peer", "axis": {"values": _TENS},
    }  # fmt: skip
    bar = {
        "mark": {"type": "bar", "color": _OURS, "height": 14},
        "encoding": {"y": y, "x": x, "x2": {"datum": 1}},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 6, "color": _INK, "fontSize": 12},
        "encoding": {"y": y, "x": x | {"field": "end"}, "text": {"field": "label"}},
    }
    title = "Times faster than the named peer, same run, same machine"
    return _chart(title, rows, width=460, height={"step": 24}, layer=[bar, text])


def _latency(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    rows = []
    for case in (case for run in runs for case in run["cases"]):
        size = _SIZE.search(case["case"])
        for who, value in (
            ("Strandline", case["ours"]),
            ("the best exact peer", case["peer_value"]),
        ):
            if size and value:
                rows.append({"n": int(size[1].replace(",", "")), "ms": value, "who": who})
    return _chart(
        "One query, radius 31, every match found: milliseconds, median",
        rows,
        width=460,
        height=280,
        mark={"type": "line", "point": {"size": 50}, "strokeWidth": 2},
        encoding={
            "x": {"field": "n", "type": "quantitative", "scale": {"type": "log"},
                  "title": "hashes in the index", "axis": {"format": "~s", "values": _TENS}},
            "y": {"field": "ms", "type": "quantitative", "scale": {"type": "log"},
                  "title": "milliseconds", "axis": {"values": _TENS}},
            "color": {"field": "who", "type": "nominal", "title": None, "sort": None,
                      "scale": {"range": [_OURS, _PEER]}},
        },
    )  # fmt: skip


def _growth(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Seconds, and the most memory, of the list's work against its size: two curves in a row."""
    rows = []
    for case in (case for run in runs if run["name"] == "list" for case in run["cases"]):
        found = _GROWING.fullmatch(case["case"])
        if found and found[2] in _GROWTH:
            what = "memory" if found[1] else "time"
            count = int(found[3].replace(",", ""))
            rows.append({"n": count, what: case["ours"], "work": _GROWTH[found[2]]})
    x = {"field": "n", "type": "quantitative", "scale": {"type": "log"},
         "title": "entries in the list", "axis": {"format": "~s", "values": _TENS}}  # fmt: skip
    colour = {"field": "work", "type": "nominal", "title": None, "sort": None,
              "scale": {"range": [_OURS, _PEER, _INK]}}  # fmt: skip
    panels = [
        {
            "width": 300,
            "height": 260,
            "transform": [{"filter": f"isValid(datum.{what})"}],
            "mark": {"type": "line", "point": {"size": 50}, "strokeWidth": 2},
            "encoding": {
                "x": x,
                "y": {"field": what, "type": "quantitative", "scale": {"type": "log"},
                      "title": title},
                "color": colour,
            },
        }
        for what, title in (("time", "seconds"), ("memory", "MiB at most, the program included"))
    ]  # fmt: skip
    return _chart("Publishing a list and syncing it, each file verified", rows, hconcat=panels)


if __name__ == "__main__":
    draw()
