"""The published files, as they are handed out: which class and column each belongs to."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from strandline.hotline.hashlist.models import Edition, ListedClass
from strandline.lists.published.classes import Column, Scope
from strandline.lists.trust import metadata
from strandline.lists.trust.keys import grouped
from strandline.lists.trust.pinning import fingerprint

_CLASS = r"(?P<class>[0-9a-f]{16})"
#: Paths of what was signed about the list, which tell no hash and are for everybody.
_STATEMENTS = (
    re.compile(r"metadata/(?:[1-9][0-9]{0,15}\.(?:root|snapshot|targets)|timestamp)\.json"),
    re.compile(
        r"editions/(?P<edition>[0-9]{6})/(?:manifest|certificate\.[A-Za-z0-9.-]{1,100})(?:\.proof)?"
    ),
)
#: Every path of the published folder that may leave the house, and nothing else.
_PATHS = (
    *_STATEMENTS,
    re.compile(rf"editions/(?P<edition>[0-9]{{6}})/{_CLASS}\.index"),
    re.compile(
        rf"(?:editions|snapshots)/(?P<edition>[0-9]{{6}})/{_CLASS}/[0-9]{{6}}\."
        r"(?P<column>core|sha256|sha1|md5|pdq|video|photodna)"
    ),
)
_LOG = re.compile(
    r"checkpoint|tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,5}[0-9]{3}"
    r"(?:\.p/[1-9][0-9]{0,2})?"
)


@dataclass(frozen=True)
class File:
    """One published file, and what one has to be entitled to for it."""

    path: Path
    #: None where the file is of no edition.
    edition: int | None = None
    #: None for a file that everyone who may read the list may have.
    listed_class: ListedClass | None = None
    #: None for what tells no hashes of one kind.
    column: Column | None = None

    @property
    def part(self) -> str:
        """``sha256``, ``pdq`` …, or ``core``: pages without any hash, and the index."""
        return self.column.value if self.column else "core"

    def within(self, scope: Scope) -> bool:
        """Whether a member of this scope may have it."""
        if self.listed_class is None:
            return True
        of_column = self.column is None or self.column in scope.columns
        return of_column and scope.covers(self.listed_class.value)


def find(path: str) -> File | None:
    """The published file of this path, a member's or the log's; none when there is none."""
    folder = Path(settings.HOTLINE.published)
    if path.startswith("log/"):
        found = log_file(path.removeprefix("log/"))
        return File(found) if found else None
    match = next((match for each in _PATHS if (match := each.fullmatch(path))), None)
    if match is None or not (folder / path).is_file():
        return None
    parts = match.groupdict()
    listed_class = None
    if parts.get("class"):
        listed_class = ListedClass.objects.filter(pk=parts["class"]).first()
        if listed_class is None:
            return None
    column = parts.get("column")
    edition = parts.get("edition")
    return File(
        folder / path,
        int(edition) if edition else None,
        listed_class,
        Column(column) if column and column != "core" else None,
    )


@dataclass(frozen=True)
class Root:
    """A root of trust, as it is handed to people."""

    #: Below the published folder.
    path: str
    #: In four lines, as people read it aloud.
    fingerprint: str

    @property
    def name(self) -> str:
        """The file's name where it was saved."""
        return self.path.rpartition("/")[2]


def newest_root() -> Root | None:
    """The root of trust that counts now; none before the ceremony."""
    data = metadata.newest_root(Path(settings.HOTLINE.published))
    if data is None:
        return None
    version = metadata.parse(data, metadata.ROOT).signed.version
    path = f"{metadata.FOLDER}/{metadata.name_of(metadata.ROOT, version)}"
    return Root(path, grouped(fingerprint(data)))


def root_fingerprint() -> str:
    """Of the first root of trust, which members pin; empty where there is none yet."""
    try:
        data = (Path(settings.HOTLINE.published) / "metadata" / "1.root.json").read_bytes()
    except FileNotFoundError:
        return ""
    return fingerprint(data)


def log_file(path: str) -> Path | None:
    """A file of the transparency log, which is for everybody; none when there is none."""
    if not _LOG.fullmatch(path):
        return None
    file = Path(settings.HOTLINE.published) / "log" / path
    return file if file.is_file() else None


def statement_file(path: str) -> Path | None:
    """Metadata, a manifest, a certificate or a proof; none when there is none."""
    file = Path(settings.HOTLINE.published) / path
    known = any(each.fullmatch(path) for each in _STATEMENTS)
    return file if known and file.is_file() else None


def latest_edition() -> Edition | None:
    """The newest edition that members were told of; none before the first."""
    return Edition.objects.filter(state=Edition.State.PUBLISHED).last()
