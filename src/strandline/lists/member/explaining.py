"""Why does this match? The entry, and everything that stands behind it, from the copy alone."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strandline.errors import ListRefused
from strandline.hashing import Examiner
from strandline.lists.denied import told
from strandline.lists.member.conditions import manifest_path
from strandline.lists.member.holdings import Holdings
from strandline.lists.member.innocence import Innocence, Judged, SetAside, merged
from strandline.lists.member.layout import Layout
from strandline.lists.member.recognition import HashList
from strandline.lists.published.blocks import ACTIONS
from strandline.lists.published.classes import Column
from strandline.lists.published.editions import index_path
from strandline.lists.published.events import WIDTHS
from strandline.lists.published.index_file import PageFile
from strandline.lists.published.reading import read_blocks
from strandline.lists.state import Held, Hit, State
from strandline.lists.trust.policy import Hotline

_ENTRY = re.compile(r"(?:entry-)?([1-9][0-9]{0,15})")
_HEX = re.compile(r"[0-9a-fA-F]+")
_WORDS = {code: action.value for action, code in ACTIONS.items()}


@dataclass(frozen=True)
class Told:
    """One thing that happened to an entry, where it is written."""

    edition: int
    sequence: int
    #: ``add``, ``amend``, ``withdraw``, ``quarantine``, ``restore``, or ``snapshot``.
    action: str
    reason: str
    #: Path of the page, and the digest its index gives it.
    page: str
    sha256: str


@dataclass(frozen=True)
class Explanation:
    """One entry and what stands behind it."""

    #: None when the entry is not on the list (any more); then ``history`` may tell why.
    held: Held | None
    number: int
    #: How it was found, when a hash or a file was asked about.
    hit: Hit | None
    #: Why that is no match, where what was asked about looks like a known innocent picture.
    aside: SetAside | None
    #: How many of its own hashes are near known innocent pictures, of how many. Where it is more
    #: than half of them, the note of innocent pictures hides nothing of this entry.
    innocent: tuple[int, int]
    #: What the pages that are held tell of it, in order; the values are of its own class.
    history: tuple[Told, ...]
    edition: int
    #: Hotlines that stand for the entry's class in that edition, the publisher first.
    vouchers: tuple[Hotline, ...]
    #: Index of the class, and root that the manifest gives for it.
    index: str | None
    root: str | None
    #: The manifest's leaf in the transparency log, and the proof that it is there.
    leaf: int
    proof: str
    manifest: str
    #: A sentence, while the edition is held to be certified and is not: nothing else answers from
    #: it. Empty when it is certified.
    awaiting: str


@told()
def explain(
    directory: str | Path, what: str, *, examiner: Examiner | None = None
) -> list[Explanation]:
    """Say of an entry (``entry-17``), a hash or a file what the list says of it, and who says so.

    Raises ListRefused when the copy is altered, or ``what`` is none of these.
    """
    layout = Layout(Path(directory))
    # Whoever is to certify an edition has to look into it before it is certified.
    state = State.open(layout.store, even_withheld=True)
    state.verify()
    with HashList(state, Innocence(layout.directory)) as hashes:
        holdings = Holdings.open(layout, hashes.state.edition)
        if number := _ENTRY.fullmatch(what):
            return [_explained(holdings, hashes, int(number[1]), None)]
        found = _judged(hashes, what, examiner)
        matching = [_explained(holdings, hashes, hit.number, hit) for hit in found.hits]
        return matching + [
            _explained(holdings, hashes, each.hit.number, each.hit, each) for each in found.aside
        ]


def _judged(hashes: HashList, what: str, examiner: Examiner | None) -> Judged:
    path = Path(what)
    if path.is_file():
        with contextlib.ExitStack() as stack:
            found = hashes.recognise(path, examiner or stack.enter_context(Examiner()))
        return Judged(list(found.hits), list(found.aside))
    columns = [
        column
        for column, width in WIDTHS.items()
        if column is not Column.PHOTODNA and len(what) == 2 * width
    ]
    if not _HEX.fullmatch(what) or not columns:
        raise ListRefused(
            f"{what!r} is neither an entry, like entry-17, nor a hash, nor a file that can be read."
        )
    # A sha256 and a pdq look alike: it is asked as both.
    return merged(*(hashes.judge(**{column.value: what}) for column in columns))


def _explained(
    holdings: Holdings,
    hashes: HashList,
    number: int,
    hit: Hit | None,
    aside: SetAside | None = None,
) -> Explanation:
    believed, policy = holdings.believed, holdings.kept.policy
    state = hashes.state
    manifest = believed.manifest
    held = state.entry(number)
    known = held is not None and held.entry_class in holdings.indexes
    return Explanation(
        held=held,
        number=number,
        hit=hit,
        aside=aside,
        innocent=hashes.innocence.now().near(held.fingerprints if held else None),
        history=tuple(sorted(_history(holdings, number), key=lambda told: told.sequence)),
        edition=manifest.edition,
        vouchers=tuple(believed.vouchers(policy, held.entry_class)) if held and known else (),
        index=index_path(manifest.edition, held.entry_class) if held and known else None,
        root=manifest.states()[held.entry_class].root if held and known else None,
        leaf=believed.index,
        proof=holdings.log.prove(believed.index),
        manifest=manifest_path(manifest.edition),
        awaiting=believed.awaiting,
    )


def _history(holdings: Holdings, number: int) -> Iterator[Told]:
    cores: list[PageFile] = [file for file in holdings.files() if file.column is None]
    for file in cores:
        for block in read_blocks(holdings.layout.read, [file]):
            for row in (block.number == number).nonzero()[0].tolist():
                action = _WORDS[int(block.action[row])]
                yield Told(
                    file.edition,
                    int(block.sequence[row]),
                    "snapshot" if file.is_snapshot else action,
                    block.reasons[int(block.reason[row])],
                    file.path,
                    file.sha256,
                )
