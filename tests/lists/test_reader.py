"""The specification's vectors, and the reader in another language that was written from it."""

import json
import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from list_vectors import CAMERA, DRAWN, NOW, SECOND, VECTORS, WITNESSES, make
from strandline.errors import NotPublished
from strandline.lists.member.checking import check
from strandline.lists.member.following import follow
from strandline.lists.member.subscription import Subscription, subscribe
from strandline.lists.published.classes import Column
from strandline.lists.published.editions import index_path
from strandline.lists.published.index_file import parse_index
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.replay import replay
from strandline.transparency import Signer

READER = Path(__file__).parents[2] / "docs" / "reader" / "read-list.mjs"
NODE = shutil.which("node")
FACTS = json.loads((VECTORS / "vectors.json").read_text())
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")
LATEST = "editions/000004"
#: Copies with a changed byte; a long run has thousands.
MUTANTS = int(os.environ.get("STRANDLINE_TEST_MUTANTS", "15"))


def read(folder, now=FACTS["now"], fingerprint=FACTS["fingerprint"], columns=None):
    command = [NODE, READER, folder, fingerprint, now, *([columns] if columns else [])]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refused(folder, **changes):
    """What the reader says when it refuses."""
    found = read(folder, **changes)
    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.endswith("Nothing was used.\n")
    assert found.stderr.count("\n") == 1
    return found.stderr


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(VECTORS / "list", tmp_path / "list")


@dataclass(frozen=True)
class Folder:
    """Reads the published folder without a network between."""

    path: Path

    def read(self, path, max_bytes):
        if not self.has(path):
            raise NotPublished(f"There is no {path}.")
        return (self.path / path).read_bytes()

    def has(self, path):
        return (self.path / path).exists()


def files_of(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_vectors_are_what_is_written_today(tmp_path):
    make(tmp_path)

    assert files_of(tmp_path) == files_of(VECTORS)


def test_the_vectors_hold_what_this_package_reads_from_them():
    held = {}
    for entry_class in (CAMERA, DRAWN):
        text = (VECTORS / "list" / index_path(4, entry_class)).read_text()
        files = parse_index(text).current()
        blocks = list(read_blocks(lambda path: (VECTORS / "list" / path).read_bytes(), files))
        standing = set(replay(blocks).number.tolist())
        for event in (event for block in blocks for event in block.events()):
            if event.entry and event.number in standing:
                held[event.entry.name] = event.entry
    assert list(held) != []
    for known in FACTS["entries"]:
        entry = held.pop(known["entry"])
        assert entry.entry_class.name == known["class"]
        assert entry.fingerprints.sha256 == known["sha256"]
        assert entry.fingerprints.pdq == known.get("pdq")
    assert held == {}


def test_a_member_syncs_the_vectors_and_finds_its_copy_intact(tmp_path):
    root = (VECTORS / "list/metadata/1.root.json").read_bytes()
    copy = tmp_path / "copy"
    subscribe(copy, Subscription(""), fingerprint=FACTS["fingerprint"], root=root, source=None)

    synced = follow(copy, Folder(VECTORS / "list"), now=NOW)

    assert synced.manifest.digest() == FACTS["manifest"]
    check(copy, now=NOW)


@needs_node
def test_the_reader_prints_the_entries():
    found = read(VECTORS / "list")

    assert found.stderr == ""
    assert [json.loads(line) for line in found.stdout.splitlines()] == FACTS["entries"]


@needs_node
def test_the_reader_needs_only_the_files_of_its_columns(copy):
    for column in Column:
        for path in [*copy.rglob(f"*.{column}")] if column is not Column.PDQ else []:
            path.unlink()

    found = [json.loads(line) for line in read(copy, columns="pdq").stdout.splitlines()]

    assert [entry["entry"] for entry in found] == [entry["entry"] for entry in FACTS["entries"]]
    assert [entry.get("pdq") for entry in found] == [e.get("pdq") for e in FACTS["entries"]]
    assert not any("sha256" in entry for entry in found)


def needed(folder):
    """The files without which nobody can read edition 4 anew."""
    names = [f"metadata/{name}.json" for name in ("1.root", "2.root", "4.snapshot", "4.targets")]
    names += ["metadata/timestamp.json", "log/checkpoint", "log/tile/0/000.p/8"]
    for name in ("manifest", f"certificate.{SECOND.name}"):
        names += [f"{LATEST}/{name}", f"{LATEST}/{name}.proof"]
    for entry_class in (CAMERA, DRAWN):
        path = index_path(4, entry_class)
        index = parse_index((folder / path).read_text())
        names += [path, *(file.path for file in index.current())]
    return names


@needs_node
def test_the_reader_needs_no_other_file(copy):
    names = set(needed(copy))
    for path in files_of(copy):
        if path not in names:
            (copy / path).unlink()

    assert read(copy).returncode == 0


@needs_node
def test_the_reader_refuses_a_copy_with_a_changed_byte_in_any_file(copy):
    draw = random.Random(MUTANTS)
    names = needed(copy)
    for _ in range(MUTANTS):
        name = draw.choice(names)
        whole = (copy / name).read_bytes()
        place, change = draw.randrange(len(whole)), draw.randrange(1, 256)
        changed = bytearray(whole)
        changed[place] ^= change
        (copy / name).write_bytes(changed)
        assert refused(copy), (name, place, change)
        (copy / name).write_bytes(whole)


@needs_node
def test_the_reader_refuses_a_copy_that_lacks_a_file(copy):
    for name in needed(copy)[2::6]:
        whole = (copy / name).read_bytes()
        (copy / name).unlink()
        assert "is missing" in refused(copy)
        (copy / name).write_bytes(whole)


@needs_node
def test_the_reader_refuses_another_root():
    assert "another fingerprint" in refused(VECTORS / "list", fingerprint="00" * 32)


@needs_node
def test_the_reader_refuses_what_is_no_longer_fresh():
    assert "expired" in refused(VECTORS / "list", now="2026-03-04T00:00:00Z")


@needs_node
def test_the_reader_refuses_what_is_dated_ahead_of_its_clock():
    assert "timestamp is dated ahead" in refused(VECTORS / "list", now="2026-03-01T14:59:59Z")
    assert "cosigned lately" in refused(VECTORS / "list", now="2026-03-01T15:00:00Z")


@needs_node
def test_the_reader_refuses_an_edition_that_is_dated_ahead_of_its_clock(tmp_path):
    make(tmp_path, ahead=timedelta(hours=2, seconds=1))

    assert "edition is dated ahead" in refused(tmp_path / "list")


@needs_node
def test_the_reader_refuses_a_manifest_that_another_key_signed(tmp_path):
    make(tmp_path, signer=Signer.from_seed("hotline.example", bytes([9] * 32)))

    assert "is not signed" in refused(tmp_path / "list")


@needs_node
def test_the_reader_refuses_what_one_jurisdiction_alone_vouches_for(tmp_path):
    make(tmp_path, certified=False)

    assert "too few jurisdictions" in refused(tmp_path / "list")


@needs_node
def test_the_reader_refuses_what_too_few_witnesses_saw(tmp_path):
    make(tmp_path, witnesses=WITNESSES[:1])

    assert "Too few witnesses" in refused(tmp_path / "list")


@needs_node
def test_the_reader_refuses_the_proof_of_another_leaf(copy):
    shutil.copy(
        copy / f"{LATEST}/certificate.{SECOND.name}.proof", copy / f"{LATEST}/manifest.proof"
    )

    assert "is not in the log" in refused(copy)


def test_the_times_of_the_vectors_are_those_of_the_script():
    assert FACTS["now"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_examples_on_the_page_are_from_the_vectors():
    page = (READER.parents[1] / "hashlist-format.md").read_text()
    edition = VECTORS / "list" / LATEST
    core = VECTORS / f"list/editions/000001/{DRAWN.id}/000000.core"

    for name in ("manifest", f"certificate.{SECOND.name}"):
        text = (edition / name).read_text().split("\n\n")[0]
        assert "```\n" + text + "\n```" in page
    index = (edition / f"{DRAWN.id}.index").read_text().split("\n")
    assert "```\n" + "\n".join(index[:7]) + "\n" in page
    assert core.read_bytes().split(b"\n")[1].decode() in page
    assert FACTS["fingerprint"] in page
    assert FACTS["packed"][1] == {"numbers": [1, 2, 3, 4], "bytes": "010000000000000002e4"}
    assert "`0100000000000000 02 e4`" in page
