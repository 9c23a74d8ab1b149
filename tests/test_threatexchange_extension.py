"""Users of the ``threatexchange`` package subscribe with what they have: tried with its command."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import list_publisher
from list_publisher import API_KEY, Member, PublishedList, fingerprints, serve
from listed_photograph import as_listed, jpeg, photographs

__all__ = ["photographs"]

ROOT = Path(__file__).parents[1]
COMMAND = ROOT / ".venv-bench" / "bin" / "threatexchange"

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason="the threatexchange command is not installed (./scripts/bench)"
)


@pytest.fixture
def house(tmp_path, monkeypatch, photographs):
    """A list published just now, which is the only time the peer's command knows."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    monkeypatch.setattr(list_publisher, "NOW", start)
    made = PublishedList(tmp_path / "house")
    book = made.book
    made.publish(*(book.add(n) for n in range(1, 9)), book.add(50, told=as_listed(photographs[0])))
    return made


@pytest.fixture
def peer(tmp_path, house):
    """``peer("fetch")`` runs the command in a home of its own; what it printed."""
    site, stop = serve(house.directory)
    Member(tmp_path / "member", house, site).init()
    home = tmp_path / "peer-home"
    home.mkdir()

    def run(*words, ok=True):
        environment = os.environ | {
            "HOME": str(home),
            "STRANDLINE_API_KEY": API_KEY,
            "PYTHONPATH": str(ROOT / "src"),
        }
        done = subprocess.run(
            [COMMAND, *words], env=environment, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == ok, said
        return said

    run("config", "extensions", "add", "strandline.threatexchange_extension")
    where = str(tmp_path / "member")
    run("config", "collab", "edit", "strandline", "--create", "hotline", "--directory", where)
    yield run
    stop()


def test_the_peer_fetches_and_matches_a_photograph(peer, photographs, tmp_path):
    peer("fetch")
    listed, other = photographs
    (tmp_path / "listed.jpg").write_bytes(jpeg(listed.resize((400, 400))))
    (tmp_path / "other.jpg").write_bytes(jpeg(other))
    assert "entry-50" in peer("match", "photo", str(tmp_path / "listed.jpg"))
    assert "entry-50" not in peer("match", "photo", str(tmp_path / "other.jpg"))


def test_what_is_withdrawn_or_contested_leaves_the_peer_and_what_is_restored_returns(peer, house):
    def held():
        peer("fetch")
        return peer("dataset", "-P")

    first, second = fingerprints(1).pdq, fingerprints(2).pdq
    assert first in held()
    house.publish(house.book.withdraw(1), house.book.quarantine(2))
    now = held()
    assert first not in now
    assert second not in now
    house.publish(house.book.restore(2), house.book.add(20))
    now = held()
    assert second in now
    assert fingerprints(20).pdq in now


def test_a_list_that_may_not_be_used_keeps_what_was_fetched(peer, house):
    peer("fetch")
    house.publish(house.book.add(20), certified=False)
    for file in (house.directory / "log" / "tile").rglob("*"):
        if file.is_file():
            file.write_bytes(b"rubbish")
    assert "is kept" in peer("fetch", ok=False)
    assert fingerprints(1).pdq in peer("dataset", "-P")
