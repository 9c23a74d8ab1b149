"""What people type after ``--at``: a time, or a sentence that says how one is written."""

from datetime import UTC, datetime

import click
import pytest

from strandline.cli import main
from strandline.cli.moments import moment

NEVER = [
    "0001-01-01T00:00+05:00",
    "0001-01-01",
    "9999-12-31T23:59-05:00",
    "9999-12-31T23:59Z",
    "1969-12-31",
    "noon",
    "",
]


@pytest.mark.parametrize("text", NEVER)
@pytest.mark.parametrize("command", ["sync", "verify"])
def test_a_time_that_cannot_be_meant_is_a_question_of_usage(tmp_path, capsys, command, text):
    assert main(["list", command, str(tmp_path), "--at", text]) == 2
    told = capsys.readouterr().err
    assert "is not a time like 2026-03-02T09:00Z" in told
    assert "Error: " in told
    assert "Overflow" not in told


def test_certifying_asks_in_the_same_words(tmp_path, capsys):
    key = tmp_path / "key"
    key.write_text("x")
    typed = ["list", "certify", str(tmp_path), "--key", str(key), "--at", NEVER[0]]
    assert main(typed) == 2
    assert "is not a time like" in capsys.readouterr().err


def test_a_time_is_read_as_utc_where_it_names_no_zone():
    expected = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for text in ("2026-03-02T09:00Z", "2026-03-02T09:00", "2026-03-02T14:00+05:00"):
        assert moment(text) == expected
    assert moment(None) is None
    with pytest.raises(click.BadParameter):
        moment("0001-01-01T00:00+05:00")
