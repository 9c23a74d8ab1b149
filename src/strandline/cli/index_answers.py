"""How ``strandline index`` writes what it found: rows for a person, JSON lines for a program."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from strandline.cli.files import printable

if TYPE_CHECKING:
    from strandline.cli.hash_lines import Line
    from strandline.matching import Entry, Match, Refused

#: Entries of a cluster written at once.
_ENTRIES = 1_000


def rows(line: "Line", matches: "Sequence[Match]") -> str:
    """A line for each match, the ids' column as wide as the widest."""
    names = [printable(match.id) for match in matches]
    width = max(map(len, names))
    each = (
        f"{line.hash}  {match.distance:3}  {name:{width}}  {_labels(match.labels)}".rstrip()
        for match, name in zip(matches, names, strict=True)
    )
    return "\n".join(each)


def json_answer(line: "Line", matches: "Iterable[Match]") -> str:
    """A query and its matches."""
    return json.dumps({"query": line.hash, "matches": [match._asdict() for match in matches]})


def json_refused(refused: "Refused") -> str:
    """A line that is no query."""
    return json.dumps(
        {
            "query": refused.text,
            "line": refused.number,
            "error": "malformed",
            "message": refused.reason,
        }
    )


def cluster_rows(number: int, members: "Iterable[Entry]") -> Iterator[str]:
    """A row for each entry, after its cluster's number."""
    for entry in members:
        row = f"{number:6}  {entry.hash}  {printable(entry.id)}  {_labels(entry.labels)}"
        yield row.rstrip() + "\n"


def json_cluster(members: "Sequence[Entry]") -> Iterator[str]:
    """One object on a line, in pieces: a cluster may have millions of entries."""
    yield f'{{"size": {len(members)}, "entries": ['
    rest = iter(members)
    between = ""
    while some := list(itertools.islice(rest, _ENTRIES)):
        yield between + ", ".join(json.dumps(entry._asdict()) for entry in some)
        between = ", "
    yield "]}\n"


def _labels(labels: Iterable[str]) -> str:
    return printable(",".join(labels))


def told(refused: "Refused") -> str:
    """A sentence with the line's number, and what the line holds."""
    return f"Line {refused.number}: {refused.reason} It says: {printable(refused.text)[:80]}"


def entries(count: int) -> str:
    """Such a number of entries, in words."""
    return "1 entry" if count == 1 else f"{count:,} entries"
