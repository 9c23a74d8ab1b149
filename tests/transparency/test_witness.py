"""The witness: what tlog-witness asks of one, and that no kill makes it vouch for two histories."""

import base64
import hashlib
import multiprocessing
import os
import random
import signal
import time
from io import BytesIO

import pytest

import naive_tree as naive
from log_cast import LOG, NOW, OTHER_LOG, W1, body, state
from strandline.transparency import (
    Checkpoint,
    CosignatureVerifier,
    Signer,
    open_checkpoint,
)
from strandline.transparency.merkle import EMPTY_ROOT, consistency_proof, root_of
from strandline.transparency.witness import MAX_REQUEST, Witness
from strandline.transparency.witness_app import witness_app
from strandline.transparency.witnessing import request

HASHES = [naive.leaf(leaf) for leaf in naive.leaves(300)]
FORK = [*HASHES[:5], naive.leaf(b"another"), *HASHES[6:]]


def checkpoint(size, hashes=HASHES, signer=LOG):
    return signer.sign(Checkpoint(signer.name, size, root_of(hashes[:size])).text)


def ask(old, new, hashes=HASHES, proof=None):
    if proof is None:
        proof = consistency_proof(hashes[:new], old) if 0 < old <= new else []
    return request(old, proof, checkpoint(new, hashes))


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "state", W1, [LOG.verifier], now=lambda: NOW)


def cosigned(reply, note):
    assert reply.status == 200, reply
    text = note + reply.body.decode()
    return open_checkpoint(text, LOG.verifier, [W1.verifier], 1).cosigned["witness.example/1"]


def test_it_cosigns_what_goes_on_from_what_it_cosigned(witness):
    old = 0
    for new in (0, 1, 1, 2, 7, 8, 200, 300, 300):
        assert cosigned(witness.add_checkpoint(ask(old, new)), checkpoint(new)) == NOW
        old = new


def test_it_starts_at_any_size(witness):
    cosigned(witness.add_checkpoint(ask(0, 300)), checkpoint(300))


def test_another_old_size_is_answered_with_the_one_it_has(witness):
    witness.add_checkpoint(ask(0, 5))
    for body_ in (ask(0, 7), ask(4, 7), ask(6, 7), ask(0, 5), ask(0, 0)):
        reply = witness.add_checkpoint(body_)
        assert (reply.status, reply.body, reply.content_type) == (409, b"5\n", "text/x.tlog.size")


def test_an_old_size_above_the_new_is_malformed(witness):
    witness.add_checkpoint(ask(0, 5))
    assert witness.add_checkpoint(ask(5, 3, proof=[])).status == 400


def test_a_rollback_is_never_cosigned(witness):
    witness.add_checkpoint(ask(0, 7))
    for old in (0, 3, 7):
        assert witness.add_checkpoint(ask(old, 3, proof=[])).status in {400, 409}
    assert witness.add_checkpoint(ask(7, 9)).status == 200


def test_a_fork_is_refused_at_the_same_size_and_later(witness):
    witness.add_checkpoint(ask(0, 7))
    assert witness.add_checkpoint(ask(7, 7, FORK)).status == 422
    assert witness.add_checkpoint(ask(7, 9, FORK)).status == 422
    assert witness.add_checkpoint(request(7, [], checkpoint(9))).status == 422
    assert witness.add_checkpoint(ask(7, 9)).status == 200


def test_a_proof_from_the_empty_log_is_refused(witness):
    assert witness.add_checkpoint(ask(0, 5, proof=[HASHES[0]])).status == 422
    witness.add_checkpoint(ask(0, 0))
    assert witness.add_checkpoint(ask(0, 0, proof=[EMPTY_ROOT])).status == 422
    assert witness.add_checkpoint(ask(0, 5)).status == 200


def test_an_empty_log_with_another_root_is_refused(witness):
    note = LOG.sign(Checkpoint("log.example", 0, bytes(32)).text)
    assert witness.add_checkpoint(request(0, [], note)).status == 422


def test_an_unknown_log_is_not_found(witness):
    note = checkpoint(3, signer=OTHER_LOG)
    assert witness.add_checkpoint(request(0, [], note)).status == 404


def test_a_signature_that_is_missing_or_fails_is_forbidden(witness):
    impostor = Signer.from_seed("log.example", bytes([8]) * 32)
    assert witness.add_checkpoint(request(0, [], checkpoint(3, signer=impostor))).status == 403
    good = checkpoint(3)
    text, line = good.split("\n\n")
    other = checkpoint(4).split("\n\n")[1]
    assert witness.add_checkpoint(request(0, [], f"{text}\n\n{other}")).status == 403
    assert witness.add_checkpoint(request(0, [], f"{good}{other}")).status == 403
    assert witness.add_checkpoint(request(0, [], f"{text}\n\n{line}")).status == 200


def test_signatures_of_others_are_ignored_and_not_kept(witness):
    note = checkpoint(3) + OTHER_LOG.sign(body(checkpoint(3))).split("\n\n")[1]
    assert witness.add_checkpoint(request(0, [], note)).status == 200
    kept = witness.latest(hashlib.sha256(b"log.example").hexdigest()).body.decode()
    assert kept.startswith(checkpoint(3))
    assert "other.example" not in kept
    opened = open_checkpoint(kept, LOG.verifier, [W1.verifier], 1)
    assert opened.checkpoint.size == 3


def test_several_logs_are_kept_apart(tmp_path):
    second = Signer.from_seed("log.example", bytes([8]) * 32)
    witness = Witness(tmp_path / "state", W1, [LOG.verifier, OTHER_LOG.verifier, second.verifier])
    assert witness.origins == ("log.example", "other.example")
    assert witness.add_checkpoint(ask(0, 5)).status == 200
    assert witness.add_checkpoint(request(0, [], checkpoint(9, signer=OTHER_LOG))).status == 200
    proof = consistency_proof(HASHES[:6], 5)
    assert witness.add_checkpoint(request(5, proof, checkpoint(6, signer=second))).status == 200
    assert witness.add_checkpoint(ask(5, 6)).body == b"6\n"


@pytest.mark.parametrize(
    "body_",
    [
        b"",
        b"old 0",
        b"\xff\xfe",
        b"old 0\n\n",
        b"old  0\n\n" + checkpoint(3).encode(),
        b"old 00\n\n" + checkpoint(3).encode(),
        b"old -1\n\n" + checkpoint(3).encode(),
        b"old\n\n" + checkpoint(3).encode(),
        b"size 0\n\n" + checkpoint(3).encode(),
        b"old 0\nAAAA\n\n" + checkpoint(3).encode(),
        b"old 0\n?\n\n" + checkpoint(3).encode(),
        b"old 0\n" + base64.b64encode(bytes(32)) + b"\n" + checkpoint(3).encode(),
        b"old 0\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + checkpoint(3).encode(),
        b"old 0\n\n" + checkpoint(3).encode()[:-1],
        b"old 0\n\n" + checkpoint(3).replace("\n3\n", "\n03\n").encode(),
        b"old 0\n\n" + checkpoint(3).encode() + bytes(MAX_REQUEST),
    ],
)
def test_what_is_not_of_the_form_is_a_bad_request(witness, body_):
    assert witness.add_checkpoint(body_).status == 400
    assert witness.latest(hashlib.sha256(b"log.example").hexdigest()).status == 404


def test_extension_lines_are_cosigned_as_they_stand(witness):
    note = LOG.sign(Checkpoint("log.example", 3, root_of(HASHES[:3]), ("more",)).text)
    cosigned(witness.add_checkpoint(request(0, [], note)), note)


def test_a_witness_that_is_started_again_goes_on_where_it_was(tmp_path):
    Witness(tmp_path / "state", W1, [LOG.verifier]).add_checkpoint(ask(0, 7))
    again = Witness(tmp_path / "state", W1, [LOG.verifier])
    assert again.add_checkpoint(ask(0, 9)).body == b"7\n"
    assert again.add_checkpoint(ask(7, 9, FORK)).status == 422
    assert again.add_checkpoint(ask(7, 9)).status == 200


def _press(path, seed, pipe):
    """Push the log forward, on either history, telling what was cosigned, until killed."""
    chance = random.Random(seed)
    witness = Witness(path, W1, [LOG.verifier])
    size = 0
    while size < 300:
        hashes = chance.choice([HASHES, FORK])
        reply = witness.add_checkpoint(ask(size, min(300, size + chance.randint(0, 3)), hashes))
        if reply.status == 409:
            size = int(reply.body)
        elif reply.status == 200:
            kept = witness.latest(hashlib.sha256(b"log.example").hexdigest()).body.decode()
            pipe.send((reply.body, kept))


def test_killed_and_pressed_by_several_it_never_cosigns_two_histories(tmp_path):
    context = multiprocessing.get_context("fork")
    seen, round_ = [], 0
    while round_ < 6 or (len(seen) <= 10 and round_ < 60):
        round_ += 1
        pipes, workers = [], []
        for number in range(3):
            receiving, sending = context.Pipe(duplex=False)
            worker = context.Process(
                target=_press, args=(tmp_path / "state", 10 * round_ + number, sending)
            )
            worker.start()
            sending.close()
            pipes.append(receiving)
            workers.append(worker)
        time.sleep(0.15)
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
        for pipe in pipes:
            try:
                while True:
                    seen.append(pipe.recv())
            except EOFError:
                pass
    states = [state(kept) for _, kept in seen]
    largest = max(states, key=lambda each: each.size)
    history = next(h for h in (HASHES, FORK) if root_of(h[: largest.size]) == largest.root)
    assert len(states) > 10
    for each in states:
        assert root_of(history[: each.size]) == each.root
    reply = Witness(tmp_path / "state", W1, [LOG.verifier]).add_checkpoint(ask(299, 300))
    assert reply.status in {409, 200, 422}
    if reply.status == 409:
        assert int(reply.body) >= largest.size


def call(app, method, path, body_=b"", **more):
    answer = {}

    def start(status, headers):
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body_)),
        "wsgi.input": BytesIO(body_),
        **more,
    }
    answer["body"] = b"".join(app(environ, start))
    return answer


def test_over_http_it_answers_the_same(witness):
    app = witness_app(witness)
    reply = call(app, "POST", "/add-checkpoint", ask(0, 5))
    assert reply["status"] == 200
    assert reply["headers"]["Content-Length"] == str(len(reply["body"]))
    reply = call(app, "POST", "/add-checkpoint", ask(0, 5))
    assert reply["status"] == 409
    assert reply["headers"]["Content-Type"] == "text/x.tlog.size"


def test_over_http_it_shows_what_it_cosigned_last(witness):
    app = witness_app(witness)
    path = f"/{hashlib.sha256(b'log.example').hexdigest()}/checkpoint"
    assert call(app, "GET", path)["status"] == 404
    call(app, "POST", "/add-checkpoint", ask(0, 5))
    shown = call(app, "GET", path)
    assert open_checkpoint(shown["body"], LOG.verifier, [W1.verifier], 1).checkpoint.size == 5
    assert call(app, "HEAD", path)["body"] == b""


def test_over_http_anything_else_is_refused(witness):
    app = witness_app(witness)
    assert call(app, "GET", "/add-checkpoint")["status"] == 405
    assert call(app, "POST", "/")["status"] == 405
    assert call(app, "GET", "/elsewhere")["status"] == 404
    assert call(app, "POST", "/add-checkpoint", CONTENT_LENGTH="")["status"] == 411
    assert call(app, "POST", "/add-checkpoint", CONTENT_LENGTH="99999999")["status"] == 413


def test_over_http_a_person_is_told_whose_witness_it_is(witness):
    told = call(witness_app(witness), "GET", "/")["body"].decode()
    assert CosignatureVerifier.from_vkey(told.split("\n")[1]) == W1.verifier
    assert "log.example" in told
