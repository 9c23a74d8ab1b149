"""The one form of each signed file: what is refused even when the right keys signed it."""

import json

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, TargetFile

from list_trust import FILES, set_table
from strandline.errors import ListRefused
from strandline.lists.trust.keys import HOLDER
from strandline.lists.trust.metadata import LIMITS, MAX_TARGET, check_target_path, parse, policy_of


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    made = set_table(tmp_path_factory.mktemp("table"))
    made.release()
    return made


def file_of(table, role):
    name = "timestamp.json" if role == "timestamp" else f"1.{role}.json"
    return (table.published / "metadata" / name).read_bytes()


def with_change(data, change):
    """The file with its signed part changed, canonical still, its signatures left as they are."""
    value = json.loads(data)
    change(value["signed"])
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize("role", LIMITS)
def test_what_was_published_has_its_one_form(table, role):
    data = file_of(table, role)
    assert parse(data, role).to_bytes() == data


@pytest.mark.parametrize("role", LIMITS)
@pytest.mark.parametrize("other", LIMITS)
def test_one_file_is_not_taken_for_another(table, role, other):
    if role != other:
        with pytest.raises(ListRefused, match=r"place of|longer"):
            parse(file_of(table, other), role)


@pytest.mark.parametrize("role", LIMITS)
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: json.dumps(json.loads(data), indent=1).encode(),
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b'"signed":{', b'"signed":{"version":9,', 1),
        lambda data: data.replace(b'"_type"', b'"\\u005ftype"', 1),
        lambda data: data.replace(b"T12:00:00Z", b"T12:0:00Z"),
    ],
    ids=["spaces", "lines", "newline", "blank", "twice", "escape", "date"],
)
def test_the_same_content_in_another_writing_is_refused(table, role, rewrite):
    data = file_of(table, role)
    written = rewrite(data)
    if written == data:
        pytest.skip("this file has no such place")
    with pytest.raises(ListRefused):
        parse(written, role)


@pytest.mark.parametrize("role", LIMITS)
@pytest.mark.parametrize("version", [True, 1.0, 0, -1, "1", None, 2**53, [1]])
def test_a_version_is_a_whole_number_that_every_reader_can_hold(table, role, version):
    with pytest.raises(ListRefused):
        parse(
            with_change(file_of(table, role), lambda signed: signed.update(version=version)), role
        )


@pytest.mark.parametrize("role", LIMITS)
def test_a_field_that_is_not_known_is_named(table, role):
    data = with_change(file_of(table, role), lambda signed: signed.update({"x-anyway": 1}))
    with pytest.raises(ListRefused, match=r"x-anyway.*newer strandline"):
        parse(data, role)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root["roles"]["root"].update(extra=1),
        lambda root: next(iter(root["keys"].values())).update(extra=1),
        lambda root: root.update(consistent_snapshot=False),
        lambda root: root["roles"]["root"].update(threshold=4),
        lambda root: root["roles"]["root"].update(threshold=True),
        lambda root: root["roles"]["root"]["keyids"].append("0" * 64),
        lambda root: root["roles"]["timestamp"].update(keyids=[]),
        lambda root: root["roles"].pop("timestamp"),
        lambda root: root["keys"].clear(),
    ],
)
def test_a_root_is_refused_that(table, change):
    with pytest.raises(ListRefused):
        parse(with_change(file_of(table, "root"), change), "root")


def test_one_key_does_not_count_twice_under_another_identifier(table):
    def change(root):
        keyid = root["roles"]["root"]["keyids"][0]
        root["keys"]["f" * 64] = root["keys"][keyid] | {HOLDER: "somebody-else"}
        root["roles"]["root"]["keyids"].append("f" * 64)

    with pytest.raises(ListRefused, match="identifier that is not its own"):
        parse(with_change(file_of(table, "root"), change), "root")


def test_a_root_without_a_policy_names_no_rules(table):
    data = with_change(file_of(table, "root"), lambda root: root.pop("x-strandline-policy"))
    with pytest.raises(ListRefused, match="policy"):
        policy_of(parse(data, "root").signed)


@pytest.mark.parametrize("left_out", ["length", "hashes"])
@pytest.mark.parametrize(("role", "name"), [("timestamp", "snapshot"), ("snapshot", "targets")])
def test_a_file_is_named_by_length_and_digest(table, role, name, left_out):
    def change(signed):
        del signed["meta"][f"{name}.json"][left_out]

    with pytest.raises(ListRefused, match="without its length and SHA-256"):
        parse(with_change(file_of(table, role), change), role)


def test_another_digest_than_sha256_is_not_enough(table):
    def change(signed):
        signed["meta"]["snapshot.json"]["hashes"] = {"md5": "0" * 32}

    with pytest.raises(ListRefused, match="without its length and SHA-256"):
        parse(with_change(file_of(table, "timestamp"), change), "timestamp")


def targets_with(table, **changes):
    metadata = parse(file_of(table, "targets"), "targets")
    for name, value in changes.items():
        setattr(metadata.signed, name, value)
    return metadata.to_bytes()


def test_targets_that_delegate_are_refused(table):
    role = DelegatedRole("other", [], 1, terminating=False, paths=["*"])
    data = targets_with(table, delegations=Delegations({}, {"other": role}))
    with pytest.raises(ListRefused, match="delegates"):
        parse(data, "targets")


def test_a_snapshot_names_nothing_but_targets(table):
    metadata = parse(file_of(table, "snapshot"), "snapshot")
    metadata.signed.meta["other.json"] = MetaFile(1, 1, {"sha256": "0" * 64})
    with pytest.raises(ListRefused, match="files that this version does not know"):
        parse(metadata.to_bytes(), "snapshot")


def test_a_named_file_has_a_limit(table):
    big = TargetFile(MAX_TARGET + 1, {"sha256": "0" * 64}, "editions/000001/manifest")
    data = targets_with(table, targets={big.path: big})
    with pytest.raises(ListRefused):
        parse(data, "targets")


@pytest.mark.parametrize(
    "path", ["../a", "a/../b", "/a", "a//b", "a/", "", ".", "a\\b", "a\nb", "é", "a" * 200]
)
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(ListRefused, match="no path"):
        check_target_path(path)


def test_a_plain_path_is_a_path():
    for path in FILES:
        assert check_target_path(path) == path
