"""``strandline compare``: are these two versions of the same picture?"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strandline.cli.files import printable
from strandline.errors import MediaRefused, StrandlineError

if TYPE_CHECKING:
    from strandline.hashing import Comparison, Examiner, Side

_HASH = re.compile(r"[0-9A-Fa-f]{64}")

#: What was done to the second picture, seen from the first.
_TURNED = {
    "original": "",
    "rotated-90": "turned a quarter to the left",
    "rotated-180": "turned upside down",
    "rotated-270": "turned a quarter to the right",
    "mirrored": "mirrored",
    "flipped": "turned upside down and mirrored",
    "transposed": "turned a quarter to the right and mirrored",
    "anti-transposed": "turned a quarter to the left and mirrored",
}


@click.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def compare(first: str, second: str, *, as_json: bool) -> None:
    """Say whether A and B are versions of the same picture.

    Each is a picture file or a PDQ hash of 64 hex digits. Pictures are also compared turned,
    mirrored, and without uniform borders; the nearest way is told. The exit status is 0 whatever
    the answer.
    """
    from strandline import hashing

    with hashing.Examiner() as examiner:
        one, other = _side(first, examiner), _side(second, examiner)
    found = hashing.compare(one, other)
    meaning = _meaning(found, one, other)
    if as_json:
        click.echo(json.dumps(_object(found, one, other) | {"meaning": meaning}))
        return
    click.echo(meaning)
    for name, side in ((first, one), (second, other)):
        if side.quality is not None:
            click.echo(f"  {side.variants[0].pdq}  quality {side.quality:3}  {printable(name)}")


def _side(named: str, examiner: "Examiner") -> "Side":
    from strandline.hashing import Side

    path = Path(named)
    if not path.exists():
        if _HASH.fullmatch(named):
            return Side.of_hash(named)
        raise StrandlineError(
            f"{named} is neither a file nor a hash of 64 hex digits. Nothing was compared."
        )
    try:
        return Side.of_picture(examiner.picture(path, variants=True))
    except MediaRefused as error:
        raise StrandlineError(f"{named}: {error.message}") from error


def _meaning(found: "Comparison", first: "Side", second: "Side") -> str:
    from strandline.hashing import MIN_QUALITY, SAME_PICTURE, Verdict

    bits = (
        "1 of 256 bits differs" if found.distance == 1 else f"{found.distance} of 256 bits differ"
    )
    counted = f"{bits} ({SAME_PICTURE} or fewer count as the same)"
    if found.verdict is Verdict.SAME_FILE:
        return "These are the same file: every byte is the same."
    if found.verdict is Verdict.SAME_PICTURE:
        return f"These are versions of the same picture{_way(found)}: {counted}."
    if found.verdict is Verdict.DIFFERENT:
        turned = len(first.variants) > 1 or len(second.variants) > 1
        however = ", however they are turned or trimmed" if turned else ""
        return f"These do not look like versions of the same picture: {counted}{however}."
    plain = [
        f"{name} (quality {side.quality} of 100)"
        for name, side in (("the first", first), ("the second", second))
        if not side.usable
    ]
    who = " and ".join(plain)
    return (
        f"{who[0].upper()}{who[1:]} {'is' if len(plain) == 1 else 'are'} too plain to fingerprint; "
        f"{MIN_QUALITY} is needed. Whether these are versions of the same picture cannot be told."
    )


def _way(found: "Comparison") -> str:
    """How the second came from the first, as a clause."""
    turned = _TURNED[found.orientation]
    bordered = [name for name, cut in zip(("first", "second"), found.trimmed, strict=True) if cut]
    way = f", the second {turned}" if turned else ""
    if bordered:
        way += f", without the borders of the {' and the '.join(bordered)}"
    return way


def _object(found: "Comparison", first: "Side", second: "Side") -> dict[str, object]:
    from strandline.hashing import SAME_PICTURE

    sides = {
        name: {
            "pdq": side.variants[0].pdq,
            "quality": side.quality,
            "sha256": side.sha256,
            "trimmed": cut,
        }
        for name, side, cut in zip(("a", "b"), (first, second), found.trimmed, strict=True)
    }
    return {
        "verdict": found.verdict,
        "distance": found.distance,
        "radius": SAME_PICTURE,
        "orientation": found.orientation,
        **sides,
    }
