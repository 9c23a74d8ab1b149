"""The story as a newcomer runs it: whole, verified, and the same whatever is killed on the way."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest

KEYS = {
    "reports", "addresses", "duplicates", "captured", "items", "undecodable", "assessed",
    "second_assessed", "entries", "edition", "member_matches", "member_false_matches", "notices",
    "removed", "inconclusive", "reopened", "audit_entries", "audit_ok",
}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("story")]

#: Each kill costs most of a second; a hundred are asked for by hand, before a release.
KILLS = os.environ.get("STRANDLINE_TEST_KILLS", "25")


def tell(out, *options):
    """Run the demo as a process of its own, with nothing of this test run's settings."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("STRANDLINE_", "DJANGO"))
    }
    command = [sys.executable, "-m", "strandline", "demo", "run", "--json", "--out", str(out)]
    done = subprocess.run(
        [*command, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    out = tmp_path_factory.mktemp("story") / "out"
    return tell(out), out


def test_the_last_line_holds_every_figure(told):
    figures, _ = told
    assert set(figures) == KEYS
    assert figures["audit_ok"] is True
    assert figures["member_false_matches"] == 0
    assert figures["member_matches"] > 10
    assert figures["addresses"] + figures["duplicates"] == figures["reports"] + 1  # one moved


def test_it_leaves_an_account_the_list_and_the_mails(told):
    figures, out = told
    assert "Every step was verified" in (out / "index.html").read_text()
    assert len(list((out / "mails").glob("*.eml"))) == figures["notices"]
    newest = f"editions/{figures['edition']:06d}/manifest"
    assert (out / "list" / newest).read_bytes() == (out / "member" / newest).read_bytes()
    certificate = f"editions/{figures['edition']:06d}/certificate.other-hotline.example"
    assert (out / "member" / certificate).is_file()


def verify(folder):
    return subprocess.run(
        [sys.executable, "-m", "strandline", "list", "verify", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_the_member_s_copy_verifies_by_today_s_clock_until_a_byte_differs(told, tmp_path):
    _, out = told
    done = verify(out / "member")
    assert done.returncode == 0, done.stderr
    copy = tmp_path / "member"
    shutil.copytree(out / "member", copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    for path in (files[0], files[len(files) // 2], files[-1]):
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if data else b"x")
        done = verify(copy)
        assert done.returncode == 1, f"{path} was changed and nobody saw it"
        assert done.stderr.strip()
        path.write_bytes(data)


def test_no_notice_was_sent_twice(told):
    _, out = told
    mails = Counter(
        line for mail in (out / "mails").glob("*.eml") for line in mail.read_text().splitlines()
        if line.startswith("Message-ID:")
    )  # fmt: skip
    assert mails
    assert set(mails.values()) == {1}


def without_looks(path):
    """A record without how often each address was looked at, and how often all were."""
    looks = []
    record = json.loads(
        path.read_text(), object_hook=lambda each: (looks.append(each.pop("looks", 0)), each)[1]
    )
    return record, sum(looks)


def test_a_worker_killed_at_random_moments_ends_in_the_same_record(told, tmp_path):
    figures, out = told
    killed = tell(tmp_path / "killed", "--kills", KILLS)
    assert killed == figures
    # Which of two addresses gets a look at one moment and which at the next may change with the
    # order in which a killed worker's rows are taken up again; how many looks there are may not.
    record, looks = without_looks(out / "record.json")
    after_kills, looks_after_kills = without_looks(tmp_path / "killed" / "record.json")
    assert after_kills == record
    assert looks_after_kills == looks
    test_no_notice_was_sent_twice((killed, tmp_path / "killed"))


def test_a_folder_the_demo_did_not_make_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    done = subprocess.run(
        [sys.executable, "-m", "strandline", "demo", "run", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "did not make" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep me"
