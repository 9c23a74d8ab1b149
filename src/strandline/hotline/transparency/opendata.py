"""The same tables to take away: CSV, one file for each page, with the column names explained.

What comes from outside is text, also in a spreadsheet: a name that begins like a formula is
written with an apostrophe before it.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from strandline.hotline.transparency.logbook import Published, jurisdictions
from strandline.hotline.transparency.members import Account, accounts
from strandline.hotline.transparency.withdrawals import Taken, taken_out, told

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """One file of open data."""

    name: str
    title: str
    #: What each column holds, in order.
    columns: Mapping[str, str]


TABLES = (
    Table(
        "editions",
        "Editions, from the log",
        {
            "edition": "its number",
            "published": "when, UTC",
            "log_index": "its leaf in the log",
            "entries": "entries listed, those set aside among them",
            "quarantined": "of those, set aside and not matched while somebody contests them",
            "added": "events of this edition, by kind",
            "amended": "",
            "withdrawn": "",
            "quarantined_now": "",
            "restored": "",
            "certified_by": "other hotlines that vouched for all or part of it",
            "manifest_sha256": "of the signed text",
        },
    ),
    Table(
        "classes",
        "Classes of each edition, from the log",
        {
            "edition": "its number",
            "class": "category, provenance, jurisdiction, survivor, labels",
            "entries": "entries listed, those set aside among them",
            "quarantined": "of those, set aside and not matched",
            "certified_by": "other hotlines that vouched for this class, with their countries",
        },
    ),
    Table(
        "withdrawals",
        "Entries withdrawn or set aside, from the record",
        {
            "event": "its sequence number in the list",
            "entry": "as matches report it",
            "action": "withdraw or quarantine",
            "day": "UTC",
            "why": "the reason, as members are told it",
            "edition": "the first edition without it",
            "since": "what became of the entry: listed again, still set aside, or withdrawn",
        },
    ),
    Table(
        "members",
        "Members, from the record and as they state themselves",
        {
            "member": "its name",
            "since": "when it was added",
            "holds_edition": "the edition it said last that it holds",
            "fetched_edition": "the newest edition it fetched",
            "look_ups": "what it asked the match service: one for each item, or for each frame of "
            "a film; items that could not be read count too",
            "look_ups_listed": "items it was told are listed; a film is one",
            "confirmed": "entries it confirms, by the last it said of each",
            "disputed": "entries it disputes, by the last it said of each",
            "stated_compared": "files it states it compared",
            "stated_matched": "of those, files on the list",
            "stated_reported": "of those, reported",
            "stated_until": "the last month it stated figures for",
        },
    ),
)


def rows(name: str, editions: Iterable[Published]) -> Iterator[list[object]]:
    """The rows of one table, without its head."""
    if name == "editions":
        yield from (_edition(each) for each in editions)
    elif name == "classes":
        countries = jurisdictions()
        for each in editions:
            yield from _classes(each, countries)
    elif name == "withdrawals":
        yield from _withdrawals()
    else:
        yield from (_account(each) for each in accounts())


def lines(table: Table, editions: Iterable[Published]) -> Iterator[str]:
    """The file, line by line."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(table.columns)
    for row in rows(table.name, editions):
        yield writer.writerow([_plain(value) for value in row])


class _Echo:
    """Hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _plain(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _edition(each: Published) -> list[object]:
    manifest = each.manifest
    return [
        manifest.edition,
        f"{manifest.published:%Y-%m-%dT%H:%M:%SZ}",
        each.leaf.index,
        manifest.entries,
        manifest.quarantined,
        manifest.added,
        manifest.amended,
        manifest.withdrawn,
        manifest.quarantined_now,
        manifest.restored,
        " ".join(certificate.hotline for _, certificate in each.certificates),
        each.leaf.digest,
    ]


def _classes(each: Published, countries: Mapping[str, str]) -> Iterator[list[object]]:
    for entry_class, state in each.manifest.classes:
        signers = [
            f"{certificate.hotline} ({countries.get(certificate.hotline, '?')})"
            for _, certificate in each.certificates
            if certificate.vouches_for(each.manifest, entry_class)
        ]
        counts = state.entries, state.quarantined
        yield [each.manifest.edition, entry_class.name, *counts, "; ".join(signers)]


def _withdrawals() -> Iterator[list[object]]:
    names = [field.name for field in fields(Taken)]
    for taken in told(taken_out()):
        yield [getattr(taken, name) for name in names]


def _account(each: Account) -> list[object]:
    return [getattr(each, field.name) for field in fields(each)]
