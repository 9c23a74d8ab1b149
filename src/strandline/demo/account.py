"""What the story leaves behind: an HTML account of it, the published list and the mails sent."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.template import Context, Engine
from rich.table import Table

from strandline.demo.mail import Maildir
from strandline.demo.story import Told
from strandline.demo.tally import Ending

#: What each page of the simulated web is there to show.
MEANING = {
    "removes-at-first": "its host removes at the first notice",
    "removes-with-410": "its host answers 410 after the first notice",
    "removes-at-second": "its host removes only after the reminder",
    "never-removes": "its host never removes",
    "moves": "its host moves it to another host",
    "moved-to": "where it moved to; found by following it",
    "unavailable-at-times": "answers 503 at times, which is not removal",
    "says-not-found": "status 200 with a 'not found' page, which is removal",
    "pathway-only": "shown only to visitors from one page",
    "comes-back": "brought back two weeks after removal",
    "circle": "redirects in a circle",
    "endless": "sends without end",
    "one-undecodable": "one of its pictures cannot be decoded",
    "same-bytes": "the same bytes as another host's",
    "copies": "re-encoded, resized copies",
    "more-copies": "more such copies",
    "innocent": "nothing illegal",
}

_TONES = {"removed": "good", "closed": "good", "not-illegal": "good", "moved": "good",
          "unchanged": "bad", "needs-information": "warn"}  # fmt: skip


def table(endings: Sequence[Ending]) -> Table:
    """What became of every address, for a terminal."""
    made = Table(title="What became of every address", title_justify="left")
    for heading in ("address", "what it shows", "state", "category", "notices", "looks", "days"):
        number = heading in {"notices", "looks", "days"}
        made.add_column(heading, justify="right" if number else "left", overflow="fold")
    for ending in endings:
        made.add_row(
            ending.url.removeprefix("http://"),
            meaning(ending),
            ending.state.label,
            ending.category,
            str(ending.notices),
            str(ending.looks),
            "" if ending.days is None else f"{ending.days:.1f}",
        )
    return made


def meaning(ending: Ending) -> str:
    """What the page of this address is there to show."""
    key = ending.page.key if ending.page else ""
    return MEANING.get(key, "waits for you in the console" if key else "")


def leave(
    out: Path,
    *,
    told: Sequence[Told],
    endings: Sequence[Ending],
    figures: dict[str, int],
    published: Path,
    maildir: Path,
    failure: str = "",
) -> None:
    """Write ``index.html``, ``list/`` and ``mails/`` below ``out``; replaces what is there."""
    for name in ("list", "mails"):
        shutil.rmtree(out / name, ignore_errors=True)
    if published.exists():
        shutil.copytree(published, out / "list")
    mails = _copy_mails(maildir, out / "mails")
    template = Engine(dirs=[str(Path(__file__).parent / "templates")]).get_template("account.html")
    css = Path(__file__).parents[1] / "hotline/site/static/site/strandline.css"
    context = {
        "css": css.read_text(),
        "told": told,
        "rows": [
            {"ending": e, "meaning": meaning(e), "tone": _TONES.get(e.state.value, ""),
             "path": " → ".join(e.path)}
            for e in endings
        ],
        "figures": [(key.replace("_", " "), value) for key, value in figures.items()],
        "mails": mails,
        "failure": failure,
        "written": datetime.now(UTC),
    }  # fmt: skip
    record = {
        "addresses": [_plain(e) for e in endings],
        "figures": figures,
        "mails": sorted((str(mail["to"]), str(mail["subject"])) for mail in mails),
    }
    if not failure:
        (out / "record.json").write_text(json.dumps(record, indent=1))
    (out / "index.html").write_text(template.render(Context(context)))


def _plain(ending: Ending) -> dict[str, object]:
    """One address without what differs between runs: its port and its number."""
    return {
        "page": ending.page.key if ending.page else ending.url,
        "category": ending.category,
        "notices": ending.notices,
        "looks": ending.looks,
        "days": ending.days,
        "path": ending.path,
    }


def _copy_mails(maildir: Path, folder: Path) -> list[dict[str, object]]:
    folder.mkdir(parents=True)
    rows: list[dict[str, object]] = []
    for number, mail in enumerate(Maildir(maildir), start=1):
        name = f"{number:03d}.eml"
        shutil.copyfile(mail.path, folder / name)
        rows.append(
            {
                "name": name,
                "at": mail.received_at,
                "to": ", ".join(mail.recipients),
                "subject": str(mail.message["Subject"]),
            }
        )
    return rows
