"""The examples do what they say."""

import importlib.util
import json
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx2
import pytest

from listed_photograph import jpeg

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    found = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def forum(holding):
    module = example("small_forum")

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    made = module.Forum()
    server = make_server(
        "127.0.0.1", 0, module.guarded_forum(str(holding.directory), made), handler_class=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=60) as client:
        yield client, made
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_forum_shows_a_picture_and_never_sees_a_listed_one(forum, photographs, capsys):
    client, site = forum
    listed, other = photographs
    title = "<b>A cup</b>"
    answer = client.post("/", data={"title": title}, files={"picture": ("a.jpg", jpeg(other))})
    assert answer.status_code == 303
    assert "&lt;b&gt;A cup" in client.get("/").text
    assert client.get("/picture/0").content == jpeg(other)

    answer = client.post("/", data={"title": "x"}, files={"picture": ("b.jpg", jpeg(listed))})
    assert answer.status_code == 422
    assert len(site.posts) == 1
    assert "entry-50" in capsys.readouterr().err


def test_the_pipeline_shows_holds_and_sets_aside(holding, photographs, tmp_path):
    pipeline = example("media_pipeline")
    waiting = tmp_path / "incoming"
    waiting.mkdir()
    listed, other = photographs
    (waiting / "listed.jpg").write_bytes(jpeg(listed.resize((400, 400))))
    (waiting / "other.jpg").write_bytes(jpeg(other))
    (waiting / "words.txt").write_text("words")
    went = pipeline.run_once(str(holding.directory), tmp_path)
    assert went == {"held": 1, "shown": 1, "unread": 1}
    assert not list(waiting.iterdir())
    [note] = pipeline.waiting_for_a_moderator(tmp_path)
    assert note["entries"] == ["entry-50"]

    said = pipeline.decide(tmp_path, "listed.jpg", is_illegal=False)
    assert said["statements"][0] == {
        "entry": "entry-50",
        "say": "dispute",
        "reason": "false-match",
        "reference": "listed.jpg:entry-50",
    }
    assert (tmp_path / "shown" / "listed.jpg").exists()
    assert not list(pipeline.waiting_for_a_moderator(tmp_path))


@pytest.mark.database
@pytest.mark.django_db
def test_the_hotline_takes_the_moderators_decision(tmp_path):
    from strandline.hotline.feedback.words import REASONS, Reason, Say

    pipeline = example("media_pipeline")
    (tmp_path / "held").mkdir()
    for is_illegal in (True, False):
        (tmp_path / "shown").mkdir(exist_ok=True)
        (tmp_path / "held" / "a.jpg").write_bytes(b"x")
        note = {"file": "a.jpg", "entries": ["entry-1"]}
        (tmp_path / "held" / "a.jpg.json").write_text(json.dumps(note))
        [one] = pipeline.decide(tmp_path, "a.jpg", is_illegal=is_illegal)["statements"]
        assert Reason(one["reason"]) in REASONS[Say(one["say"])]
