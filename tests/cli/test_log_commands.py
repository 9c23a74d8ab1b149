"""``strandline witness``, ``monitor`` and ``mirror`` against real servers on loopback."""

import functools
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from list_statements import OTHER, PUBLISHER, certified, chain, signed
from log_cast import LOG, body
from strandline.cli import main
from strandline.fetching import NamedSite
from strandline.transparency import CosignatureVerifier, Log, open_checkpoint
from strandline.transparency.witnessing import ask


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture
def served(tmp_path):
    """A log of one edition and its certificate, and where a plain web server hands it out."""
    log = Log(tmp_path / "log", LOG)
    one = chain({})[0]
    log.append([signed(one), certified(one)])
    (tmp_path / "log.vkey").write_text(LOG.vkey + "\n")
    handler = functools.partial(Quiet, directory=str(log.directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield log, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Running:
    """A ``strandline witness`` of its own process."""

    def __init__(self, directory, *arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "strandline", "witness", str(directory), *arguments]
        self.process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}"],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.vkey = self.process.stderr.readline().decode().strip()
        self.verifier = CosignatureVerifier.from_vkey(self.vkey)
        for _ in range(1200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def cosign(self, log):
        site, size = NamedSite.open(self.url), log.size
        return ask(
            lambda _url, sent: site.post("add-checkpoint", sent),
            self.url,
            log.checkpoint(),
            lambda old: log.reader().consistency(old, size),
            self.verifier,
        )

    def stop(self, how=signal.SIGTERM):
        os.killpg(self.process.pid, how)
        self.process.wait(20)
        self.process.stderr.close()


@pytest.fixture
def witness(tmp_path):
    running = Running(
        tmp_path / "w", "--name", "witness.example/1", "--log", str(tmp_path / "log.vkey")
    )
    yield running
    if running.process.returncode is None:
        running.stop()


def monitoring(url, tmp_path, *more):
    keys = ["--publisher", PUBLISHER.vkey, "--hotline", OTHER.vkey]
    state = ["--state", str(tmp_path / "state")]
    return ["monitor", url, "--key", str(tmp_path / "log.vkey"), *keys, *state, *more]


def test_without_the_hotlines_keys_nothing_is_called_certified(served, witness, tmp_path, capsys):
    log, url = served
    log.publish([witness.cosign(log)])
    state = ["--state", str(tmp_path / "state")]
    main(["monitor", url, "--key", str(tmp_path / "log.vkey"), *state])
    told = capsys.readouterr()
    assert "Said, unchecked, to certify: other.example: 2 of 2 classes." in told.out
    assert "Certified by" not in told.out
    assert "signatures were not checked" in told.err


@pytest.mark.parametrize("command", ["monitor", "mirror"])
def test_fewer_witnesses_than_none_cannot_be_asked_for(command, served, tmp_path, capsys):
    _, url = served
    rest = [str(tmp_path / "m")] if command == "mirror" else []
    key = ["--key", str(tmp_path / "log.vkey")]
    assert main([command, url, *rest, *key, "--quorum", "-1"]) == 2
    assert "-1 is not in the range" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_a_witness_killed_and_started_again_goes_on_and_monitor_and_mirror_believe_it(
    served, witness, tmp_path, capsys
):
    log, url = served
    log.publish([witness.cosign(log)])
    arguments = monitoring(url, tmp_path, "--witness", witness.vkey, "--compare", witness.url)
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "log.example: 2 leaves" in told
    assert "Cosigned by witness.example/1" in told
    assert "Edition 1 of hotline.example" in told
    assert "Certified by other.example: 2 of 2 classes." in told
    assert "Nothing to object to." in told

    witness.stop(signal.SIGKILL)
    again = Running(tmp_path / "w", "--log", LOG.vkey)
    try:
        assert again.vkey == witness.vkey
        log.append([signed(chain({}, {})[1])])
        log.publish([again.cosign(log)])
    finally:
        again.stop()
    assert main(monitoring(url, tmp_path, "--witness", witness.vkey, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert (told["log"]["size"], told["log"]["new_leaves"]) == (3, 1)
    assert list(told["log"]["cosigned"]) == ["witness.example/1"]
    assert (told["list"]["edition"], told["list"]["certified"]) == (2, {})

    key = ["--key", LOG.vkey, "--witness", witness.vkey, "--fresh", "1"]
    assert main(["mirror", url, str(tmp_path / "mirror"), *key]) == 0
    assert "holds the 3 leaves of log.example, 3 of them new" in capsys.readouterr().out
    copy = (tmp_path / "mirror/checkpoint").read_text()
    assert open_checkpoint(copy, LOG.verifier, [witness.verifier], 1).checkpoint.size == 3


def test_the_witnesss_key_can_be_asked_for_and_its_name_is_kept(tmp_path, capsys):
    directory = str(tmp_path / "w")
    assert main(["witness", directory, "--name", "witness.example/1", "--vkey"]) == 0
    vkey = capsys.readouterr().out.strip()
    assert CosignatureVerifier.from_vkey(vkey).name == "witness.example/1"
    assert main(["witness", directory, "--vkey"]) == 0
    assert capsys.readouterr().out.strip() == vkey
    assert main(["witness", directory, "--name", "other.example", "--vkey"]) == 2
    assert main(["witness", directory]) == 2
    assert main(["witness", str(tmp_path / "new"), "--vkey"]) == 2


def test_a_fork_is_a_finding_and_status_1_until_somebody_has_looked(served, tmp_path, capsys):
    log, url = served
    log.publish()
    assert main(monitoring(url, tmp_path)) == 0
    forged = Log(tmp_path / "forged", LOG)
    forged.append([b"another", *log.reader().leaves(1, 2)])
    note = forged.publish()
    for path in ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2"):
        (log.directory / path).write_bytes((forged.directory / path).read_bytes())
    for _ in range(2):
        capsys.readouterr()
        assert main(monitoring(url, tmp_path)) == 1
        assert "fork: The log of 2 leaves does not begin with" in capsys.readouterr().err
    kept = [path.read_text() for path in (tmp_path / "state/evidence").iterdir()]
    assert note in kept
    assert main(["mirror", url, str(tmp_path / "mirror"), "--key", LOG.vkey]) == 0


def test_a_stale_log_is_a_finding(served, tmp_path, capsys):
    log, url = served
    from log_cast import W1

    long_ago = datetime.now(UTC) - timedelta(hours=49)
    log.publish([W1.cosign(body(log.checkpoint()), long_ago)])
    assert main(monitoring(url, tmp_path, "--witness", W1.vkey)) == 1
    assert "stale: The log was last cosigned by enough witnesses on" in capsys.readouterr().err
    assert main(monitoring(url, tmp_path, "--witness", W1.vkey, "--fresh", "50")) == 0
    key = ["--key", LOG.vkey, "--witness", W1.vkey, "--fresh", "1"]
    assert main(["mirror", url, str(tmp_path / "mirror"), *key]) == 1
    assert not (tmp_path / "mirror").exists()


def test_findings_come_as_json_too(served, tmp_path, capsys):
    log, url = served
    log.publish()
    arguments = monitoring(url, tmp_path, "--most-events", "5", "--json")
    assert main([*arguments, "--quorum", "0"]) == 0
    log.append([signed(chain({}, {})[1])])
    log.publish()
    capsys.readouterr()
    assert main(arguments) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert [finding["kind"] for finding in told["findings"]] == ["growth"]
    assert "10 of them additions" in told["findings"][0]["sentence"]


def test_a_witness_that_does_not_answer_is_told(served, tmp_path, capsys):
    log, url = served
    log.publish()
    assert main(monitoring(url, tmp_path, "--compare", "http://127.0.0.1:9")) == 1
    assert "not-compared: http://127.0.0.1:9" in capsys.readouterr().err
    assert main(monitoring(url, tmp_path, "--compare", url)) == 0


def test_nobody_at_the_address_is_a_sentence(tmp_path, capsys):
    (tmp_path / "log.vkey").write_text(LOG.vkey)
    assert main(monitoring("http://127.0.0.1:9", tmp_path)) == 1
    assert "could not be reached" in capsys.readouterr().err


def test_what_is_remembered_lies_in_the_users_state_folder(served, tmp_path, capsys, monkeypatch):
    log, url = served
    log.publish()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert main(["monitor", url, "--key", LOG.vkey]) == 0
    assert (tmp_path / "xdg/strandline/monitor/log.example/state.json").exists()


def test_a_lists_root_of_trust_gives_every_key_and_limit(served, tmp_path, capsys):
    from log_cast import NOW, W1, W2
    from strandline.lists.trust.ceremony import make_all
    from strandline.lists.trust.policy import Growth, Hotline, Policy

    log, url = served
    policy = Policy(
        origin="hotline.example",
        publisher=Hotline("hotline.example", "gb", PUBLISHER.vkey),
        hotlines=(Hotline("other.example", "de", OTHER.vkey),),
        log=LOG.vkey,
        witnesses=(W1.vkey, W2.vkey),
        witness_quorum=1,
        growth=Growth(most_events=5, most_percent=0),
    )
    make_all(tmp_path / "keys", tmp_path / "list", policy, now=NOW)
    root = str(tmp_path / "list/metadata/1.root.json")
    arguments = ["monitor", url, "--root", root, "--state", str(tmp_path / "state")]
    log.publish()
    assert main(arguments) == 1
    assert "uncosigned: Only 0 of the 1 witnesses" in capsys.readouterr().err
    log.append([signed(chain({}, {})[1])])
    log.publish([W2.cosign(body(log.checkpoint()), datetime.now(UTC))])
    assert main(arguments) == 1
    assert "growth: Edition 2 of hotline.example has 10 events" in capsys.readouterr().err
    assert main(arguments) == 0
    assert main(["mirror", url, str(tmp_path / "mirror"), "--root", root]) == 0
    assert main(["mirror", url, str(tmp_path / "mirror"), "--root", root, "--quorum", "2"]) == 1
    assert main(["monitor", url]) == 2
