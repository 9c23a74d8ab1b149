"""A log asks its witnesses: whatever they answer, only their own cosignature is taken."""

import pytest

import naive_tree as naive
from log_cast import LOG, NOW, W1, W2, body, cosigned
from strandline.errors import WitnessRefused
from strandline.transparency import Log, open_checkpoint
from strandline.transparency.witness import Witness
from strandline.transparency.witnessing import ask

URL = "https://witness.example/w"


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path / "log", LOG)
    log.append(naive.leaves(5))
    return log


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "state", W1, [LOG.verifier], now=lambda: NOW)


def asked(log, post, **more):
    reader, size = log.reader(), log.size
    return ask(
        post,
        URL,
        log.checkpoint(),
        lambda old: reader.consistency(old, size),
        W1.verifier,
        **more,
    )


def posting(witness, sizes=None):
    def post(url, sent):
        assert url == f"{URL}/add-checkpoint"
        if sizes is not None:
            sizes.append(int(sent.split(b"\n")[0].split(b" ")[1]))
        return witness.add_checkpoint(sent)[:2]

    return post


def test_a_witness_that_knows_the_log_cosigns_at_once(log, witness):
    sizes = []
    line = asked(log, posting(witness, sizes))
    note = log.publish([line])
    assert open_checkpoint(note, LOG.verifier, [W1.verifier], 1).cosigned == {W1.name: NOW}
    log.append([b"more"])
    asked(log, posting(witness, sizes), last=5)
    asked(log, posting(witness, sizes), last=6)
    assert sizes == [0, 5, 6]


def test_a_witness_elsewhere_tells_its_size_and_is_asked_from_there(log, witness):
    asked(log, posting(witness))
    log.append(naive.leaves(900))
    sizes = []
    asked(log, posting(witness, sizes))
    assert sizes == [0, 5]


def test_a_witness_that_saw_a_larger_log_tells_that_ours_was_set_back(log, witness):
    with pytest.raises(WitnessRefused, match="set back"):
        asked(log, lambda _url, _body: (409, b"9\n"))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, b"no"),
        (404, b""),
        (422, b"\x1b[31m no"),
        (500, b"x" * 10_000),
        (302, b""),
        (409, b"five\n"),
        (409, b"05\n"),
        (409, b"5"),
        (200, b""),
        (200, b"thanks"),
        (200, b"\xff"),
        (200, W2.cosign(body(LOG.sign("log.example\n5\n" + "A" * 43 + "=\n")), NOW).encode()),
    ],
)
def test_any_other_answer_is_a_refusal_in_a_sentence(log, status, answer):
    with pytest.raises(WitnessRefused) as refused:
        asked(log, lambda _url, _body: (status, answer))
    assert W1.name in refused.value.message
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 500


def test_a_cosignature_on_another_state_is_not_taken(log):
    other = W1.cosign(f"log.example\n6\n{'A' * 43}=\n", NOW)
    with pytest.raises(WitnessRefused):
        asked(log, lambda _url, _body: (200, other.encode()))


def test_only_its_own_line_is_taken_of_several(log):
    lines = [w.cosign(body(log.checkpoint()), NOW) for w in (W2, W1)]
    assert asked(log, lambda _url, _body: (200, "".join(lines).encode())) == lines[1]


def test_a_witness_that_names_another_size_each_time_is_given_up(log):
    sizes = iter(range(1, 99))
    with pytest.raises(WitnessRefused, match="each time"):
        asked(log, lambda _url, _body: (409, b"%d\n" % next(sizes)))
    assert next(sizes) < 9


def test_published_cosignatures_are_of_use_to_members(log):
    assert cosigned(log, W1).count("— ") == 2
