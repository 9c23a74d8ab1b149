"""The index of a class: the files that make it up, and the root that the manifest gives for them.

The root is public and the index is for members: each leaf holds a salted commitment to a file, so
that the root tells nobody anything about the hashes in it, and whoever has the index can check
that every file is there and is the one that was published.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from strandline.errors import ListRefused
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.manifests import MAX_EDITION, check_origin
from strandline.lists.published.pages import CORE, MAX_ROWS
from strandline.transparency.merkle import tree_hash

#: Files of one class; an edition's writer starts a new snapshot long before.
MAX_FILES = 1_000_000
#: Bytes; no page is larger.
MAX_SIZE = 2**27
_NAME = re.compile(
    r"(editions|snapshots)/([0-9]{6})/([0-9a-f]{16})/([0-9]{6})\.(core|sha256|sha1|md5|pdq|video|photodna)"
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


def salt_of(salt_key: bytes, path: str) -> bytes:
    """The 16 bytes that keep the file at ``path`` from being guessed from its commitment."""
    return hmac.digest(salt_key, path.encode(), "sha256")[:16]


@dataclass(frozen=True)
class PageFile:
    """One file of one page, as the index names it."""

    #: From the published folder, such as ``editions/000012/<class id>/000000.core``.
    path: str
    #: Bytes.
    size: int
    #: Of the page.
    rows: int
    sha256: str
    #: 32 hex digits.
    salt: str

    @property
    def leaf(self) -> bytes:
        """What stands for the file in the class root."""
        commitment = hashlib.sha256(bytes.fromhex(self.salt + self.sha256)).hexdigest()
        return f"{self.path} {self.size} {self.rows} {commitment}".encode()

    @property
    def line(self) -> str:
        """The file's line in the index, without its end."""
        return f"{self.path} {self.size} {self.rows} {self.sha256} {self.salt}"

    @property
    def is_snapshot(self) -> bool:
        """Whether it is part of a snapshot rather than of an edition's events."""
        return self.path.startswith("snapshots/")

    @property
    def edition(self) -> int:
        """Of the events, or as of which the snapshot is."""
        return int(self.path.split("/")[1])

    @property
    def page(self) -> str:
        """The path without the column: the same for all files of a page."""
        return self.path.rpartition(".")[0]

    @property
    def column(self) -> Column | None:
        """None for the core."""
        name = self.path.rpartition(".")[2]
        return None if name == CORE else Column(name)


@dataclass(frozen=True)
class Index:
    """The files of one class as of an edition. Raises ListRefused when they cannot be.

    Who starts anew reads the snapshot and the events after it. Who holds edition ``since`` or a
    later one reads the events after that; from ``since``, history and snapshot must agree.
    """

    origin: str
    entry_class: EntryClass
    #: The edition of the newest snapshot; 0, and no files, while events alone make up the class.
    snapshot: int
    #: Events of every edition after this one are listed; the edition of the snapshot before.
    since: int
    #: Sorted by path.
    files: tuple[PageFile, ...]

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ListRefused(f"The index of class {self.entry_class.id} {problem}.")

    @property
    def head(self) -> str:
        """The lines before those of the files."""
        return (
            f"{self.origin}/index\nformat 2\nclass {self.entry_class.name}\n"
            f"snapshot {self.snapshot}\nsince {self.since}\nfiles {len(self.files)}\n"
        )

    def text(self) -> str:
        """The content of the index file."""
        return self.head + "".join(f"{file.line}\n" for file in self.files)

    def root(self) -> str:
        """The class root, as the manifest gives it: lower-case hex.

        The first leaf is the head: what is not listed is vouched for as well.
        """
        return tree_hash([self.head.encode(), *(file.leaf for file in self.files)]).hex()

    def current(self, columns: Iterable[Column] = Column) -> tuple[PageFile, ...]:
        """Files from which the class is made up anew, in the order they are applied."""
        pages = [file for file in self._of(columns) if file.is_snapshot]
        return (*pages, *self.after(self.snapshot, columns))

    def after(self, edition: int, columns: Iterable[Column] = Column) -> tuple[PageFile, ...]:
        """Files of the events after ``edition``, in order; raises ListRefused before ``since``."""
        if edition < self.since:
            raise ListRefused(
                f"Events after edition {edition} are no longer listed, only those after "
                f"{self.since}. Start from the snapshot."
            )
        return tuple(
            file for file in self._of(columns) if not file.is_snapshot and file.edition > edition
        )

    def with_files(
        self, files: Iterable[PageFile], snapshot: tuple[int, Iterable[PageFile]] | None = None
    ) -> "Index":
        """With the events of one more edition, and, where one was due, its snapshot."""
        known = [*self.files, *files]
        if snapshot is None:
            return replace(self, files=_sorted(known))
        edition, pages = snapshot
        kept = [file for file in known if not file.is_snapshot and file.edition > self.snapshot]
        return replace(self, snapshot=edition, since=self.snapshot, files=_sorted([*kept, *pages]))

    def _of(self, columns: Iterable[Column]) -> Iterable[PageFile]:
        wanted = {None, *columns}
        return (file for file in self.files if file.column in wanted)

    def _problem(self) -> str | None:
        pages: dict[str, set[int]] = {}
        cores: set[str] = set()
        numbered: dict[str, list[int]] = {}
        for file in self.files:
            problem = self._file_problem(file)
            if problem:
                return f"names {file.path!r}, which {problem}"
            pages.setdefault(file.page, set()).add(file.rows)
            if file.column is None:
                cores.add(file.page)
                folder, _, number = file.page.rpartition("/")
                numbered.setdefault(folder, []).append(int(number))
        checks = {
            "has an origin that is not a domain": check_origin(self.origin),
            "has a snapshot that cannot be": 0 <= self.since <= self.snapshot <= MAX_EDITION
            and (self.snapshot == 0 or self.since < self.snapshot),
            "has too many files": len(self.files) <= MAX_FILES,
            "is not sorted": all(
                one.path < other.path
                for one, other in zip(self.files, self.files[1:], strict=False)
            ),
            "has a page without its core": cores == pages.keys(),
            "gives a page several lengths": all(len(rows) == 1 for rows in pages.values()),
            "lacks a page": all(
                sorted(found) == list(range(len(found))) for found in numbered.values()
            ),
        }
        return next((problem for problem, holds in checks.items() if not holds), None)

    def _file_problem(self, file: PageFile) -> str | None:
        parts = _NAME.fullmatch(file.path)
        if not parts or parts[3] != self.entry_class.id:
            return "is no page of this class"
        wrong_edition = (
            file.edition != self.snapshot if parts[1] == "snapshots" else file.edition <= self.since
        )
        if wrong_edition:
            return "is of an edition that does not belong"
        if not (1 <= file.rows <= MAX_ROWS and 1 <= file.size <= MAX_SIZE):
            return "has a size that cannot be"
        if not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            return "has no sha256"
        return None if re.fullmatch(r"[0-9a-f]{32}", file.salt) else "has no salt"


def parse_index(text: str) -> Index:
    """Read the content of an index file; raises ListRefused unless ``Index.text`` gives the same.

    That it is the one published shows only its ``root()``.
    """
    lines = text.split("\n")
    keys = ("format", "class", "snapshot", "since", "files")
    pairs = [line.partition(" ") for line in lines[1:6]]
    origin = lines[0].removesuffix("/index")
    if origin == lines[0] or tuple(key for key, _, _ in pairs) != keys or pairs[0][2] != "2":
        raise ListRefused(
            "This is not the index of a class in the form this version knows. It was not used; a "
            "newer strandline may read it."
        )
    values = {key: value for key, _, value in pairs}
    index = Index(
        origin,
        EntryClass.parse(values["class"]),
        _number(values["snapshot"]),
        _number(values["since"]),
        tuple(_parse_file(line) for line in lines[6:-1]),
    )
    if index.text() != text:
        raise ListRefused("The index of a class is not in its canonical form. It was not used.")
    return index


def _parse_file(line: str) -> PageFile:
    parts = line.split(" ")
    if len(parts) != 5:
        raise ListRefused("A line of the index of a class is malformed. It was not used.")
    return PageFile(parts[0], _number(parts[1]), _number(parts[2]), parts[3], parts[4])


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ListRefused("A number in the index of a class is malformed. It was not used.")
    return int(text)


def _sorted(files: Sequence[PageFile]) -> tuple[PageFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
