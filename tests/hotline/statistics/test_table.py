"""The table to take away: no cell of it can run in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.statistics.counting import Counts, Figure
from strandline.hotline.statistics.table import HEADINGS, as_text, to_csv


def read(text):
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|calc", "%0A=1", "\n=1"]
)
def test_what_a_spreadsheet_would_run_becomes_text(cell):
    assert as_text(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Addresses", "DE", "country-GB", "1 = 1", "a\n=1"])
def test_other_text_stays_as_it_is(cell):
    assert as_text(cell) == cell


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"])), min_size=3, max_size=3))
def test_any_text_comes_back_whole_and_never_begins_a_formula(words):
    key, label, note = words
    rows = read(to_csv([Figure(key, label, Counts.HASH, 7, note)]))
    assert rows[0] == list(HEADINGS)
    assert len(rows) == 2
    assert rows[1][3] == "7"
    for cell, word in zip((rows[1][0], rows[1][1], rows[1][4]), words, strict=True):
        assert cell in {word, f"'{word}"}
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_what_is_not_known_is_empty_and_not_zero():
    rows = read(to_csv([Figure("t", "Time", Counts.DAY, None, "n")]))
    assert rows[1] == ["t", "Time", "day", "", "n"]
