"""How a larger site takes in media: at once, but shown only after a worker has looked.

    python examples/media_pipeline.py MEMBER_DIR FOLDER

Files that appear in FOLDER/incoming are compared with the list. What is not listed moves to
FOLDER/shown; what is listed moves to FOLDER/held with a note for a moderator; what cannot be read
as a picture or a film moves to FOLDER/unread. A moderator decides with ``decide``; the decision
becomes feedback, which a site sends to its hotline.

A site would use its own queue and storage in place of folders. What should stay the same: nothing
is shown before it was compared, a person decides what follows from a match, and a worker that dies
half-way leaves the file where the next one finds it.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from strandline import lists

STAGES = ("incoming", "shown", "held", "unread")


def run_once(member_directory: str, folder: Path) -> Counter[str]:
    """Look at every file that waits; how many went where."""
    for stage in STAGES:
        (folder / stage).mkdir(parents=True, exist_ok=True)
    waiting = sorted(path for path in (folder / "incoming").iterdir() if path.is_file())
    went: Counter[str] = Counter()
    for found in lists.match(member_directory, waiting):
        if found.hits:
            note = {
                "file": found.path.name,
                "sha256": found.sha256,
                "entries": [hit.name for hit in found.hits],
                "edition": found.hits[0].edition,
            }
            # The note first: a file in ``held`` without one could not be judged.
            (folder / "held" / f"{found.path.name}.json").write_text(json.dumps(note))
            stage = "held"
        else:
            stage = "unread" if found.problem else "shown"
        found.path.rename(folder / stage / found.path.name)
        went[stage] += 1
    return went


def waiting_for_a_moderator(folder: Path) -> Iterator[dict[str, object]]:
    """The notes of what is held, by name."""
    for note in sorted((folder / "held").glob("*.json")):
        yield json.loads(note.read_text())


def decide(folder: Path, name: str, *, is_illegal: bool) -> dict[str, list[dict[str, str]]]:
    """A moderator looked: what goes to the hotline as ``POST /api/v1/feedback``.

    A wrong match is shown after all; a right one stays held for whoever the law says to report to.
    """
    note_file = folder / "held" / f"{name}.json"
    note = json.loads(note_file.read_text())
    say, reason = ("confirm", "seen") if is_illegal else ("dispute", "false-match")
    if not is_illegal:
        (folder / "held" / name).rename(folder / "shown" / name)
        note_file.unlink()
    return {
        "statements": [
            {"entry": entry, "say": say, "reason": reason, "reference": f"{name}:{entry}"[:64]}
            for entry in note["entries"]
        ]
    }


if __name__ == "__main__":
    member, place = sys.argv[1], Path(sys.argv[2])
    while True:
        if counts := run_once(member, place):
            print(", ".join(f"{count} {stage}" for stage, count in counts.items()))
        time.sleep(2)
