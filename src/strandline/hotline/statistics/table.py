"""Figures as a table for a spreadsheet, in which no cell can be a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable

from strandline.hotline.statistics.counting import Figure

HEADINGS = ("key", "figure", "counts", "value", "how it is counted")
#: What spreadsheets take for the beginning of a formula (OWASP, 'CSV Injection').
_FORMULA = tuple("=+-@\t\r\n|%")


def to_csv(figures: Iterable[Figure]) -> str:
    """RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for figure in figures:
        value = "" if figure.value is None else figure.value
        words = (figure.key, figure.label, figure.counts.value)
        writer.writerow([*map(as_text, words), value, as_text(figure.note)])
    return "\ufeff" + out.getvalue()


def as_text(cell: str) -> str:
    """``cell`` so that a spreadsheet shows it and never runs it."""
    # Some programs fold the full-width forms of these signs into the plain ones.
    folded = unicodedata.normalize("NFKC", cell).lstrip(" ")
    return f"'{cell}" if folded.startswith(_FORMULA) else cell
