"""What is sent wrongly, by accident or on purpose: a sentence, the right status, nothing told."""

import json

import pytest
from django.db import OperationalError

from strandline.hotline.accounts.models import ApiKey
from strandline.hotline.accounts.services import revoke_key
from strandline.hotline.errors import NoList
from strandline.hotline.matchservice import alarms, service
from strandline.hotline.matchservice.lookup import Current
from strandline.hotline.matchservice.models import Alarm, Usage
from strandline.hotline.matchservice.probing import Suspicion
from strandline.hotline.matchservice.standing import caller_of

pytestmark = pytest.mark.django_db

PDQ = "0123456789abcdef" * 4
SHA = "ab" * 32
STILL = {"pdq": PDQ, "quality": 90}
FRAME = {"ms": 0, "quality": 90, "pdq": PDQ}


@pytest.fixture
def listed(shelf):
    shelf.add(17, sha256=SHA, pdq=PDQ)
    return shelf


@pytest.fixture
def key(key_of):
    return key_of("look-up")


def refused(answer, status, words):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    sentence = answer.json()["detail"]
    assert words in sentence
    assert sentence[-1] in ".…"
    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        '{"items": []}'.encode("utf-16"),
        b'{"items": [NaN]}',
        b'{"items": [' + b"9" * 5000 + b"]}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"GIF89a" + bytes(1000),
    ],
    ids=["empty", "cut", "bytes", "utf-16", "nan", "number", "deep list", "deep object", "picture"],
)
def test_rubbish_is_refused(body, listed, key, ask):
    refused(ask(key, body), 400, "")


@pytest.mark.parametrize(
    "body",
    [
        [],
        "items",
        None,
        7,
        {},
        {"items": []},
        {"items": {}},
        {"items": "x"},
        {"items": [STILL] * 1001},
        {"items": [STILL], "radius": 60},
        {"items": [STILL], "image": "aGk="},
        {"pdq": PDQ, "quality": 90},
    ],
)
def test_another_shape_is_refused_as_a_whole(body, listed, key, ask):
    refused(ask(key, json.dumps(body)), 422, "Nothing was looked up")
    service.allowances.settle()
    assert not Usage.objects.exists()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("text", "object"),
        (None, "object"),
        ([], "object"),
        ({}, "at least one"),
        ({"id": "a"}, "at least one"),
        ({"quality": 90}, '"pdq"'),
        ({"id": 7, **STILL}, '"id"'),
        ({"id": "x" * 101, **STILL}, '"id"'),
        ({"sha256": SHA[:-2]}, "64 hexadecimal digits"),
        ({"sha256": SHA[:8]}, "never a part"),
        ({"sha256": SHA + "00"}, "64 hexadecimal digits"),
        ({"sha256": " " + SHA[:-1]}, "64 hexadecimal digits"),
        ({"sha256": SHA[:30] + "  " + SHA[:32]}, "64 hexadecimal digits"),
        ({"sha256": "g" * 64}, "64 hexadecimal digits"),
        ({"sha256": "０" * 64}, "64 hexadecimal digits"),
        ({"sha256": "٣" * 64}, "64 hexadecimal digits"),
        ({"sha256": "\ud800" * 64}, "64 hexadecimal digits"),
        ({"sha256": SHA + "%"}, "64 hexadecimal digits"),
        ({"sha256": 7}, "64 hexadecimal digits"),
        ({"sha256": [SHA]}, "64 hexadecimal digits"),
        ({"sha1": SHA}, "40 hexadecimal digits"),
        ({"md5": SHA}, "32 hexadecimal digits"),
        ({"pdq": PDQ}, '"quality"'),
        ({"pdq": PDQ, "quality": "90"}, '"quality"'),
        ({"pdq": PDQ, "quality": 90.0}, '"quality"'),
        ({"pdq": PDQ, "quality": True}, '"quality"'),
        ({"pdq": PDQ, "quality": 101}, '"quality"'),
        ({"pdq": PDQ, "quality": -1}, '"quality"'),
        ({"image": "aGk="}, "never pictures"),
        ({"url": "http://x", "sha256": SHA}, "never pictures"),
        ({"photodna": "00" * 144}, "never pictures"),
        ({"\ud800": 1}, "not a field"),
        ({"film": []}, '"film"'),
        ({"film": {}}, '"film"'),
        ({"film": [FRAME], **STILL}, "not both"),
        ({"film": [FRAME, {}]}, "Frame 2"),
        ({"film": [FRAME, 7]}, "Frame 2"),
        ({"film": [{**FRAME, "ms": -1}]}, '"ms"'),
        ({"film": [{**FRAME, "ms": 1.5}]}, '"ms"'),
        ({"film": [{**FRAME, "ms": 2**32}]}, '"ms"'),
        ({"film": [{**FRAME, "pdq": PDQ[:8]}]}, "Frame 1"),
        ({"film": [{**FRAME, "more": 1}]}, "Frame 1"),
    ],
)
def test_a_faulty_item_is_told_and_costs_the_others_nothing(item, words, listed, key, ask):
    answer = ask(key, [STILL, item, {"sha256": SHA}])
    assert answer.status_code == 200
    first, wrong, last = answer.json()["items"]
    assert (first["listed"], last["listed"]) == (True, True)
    assert (wrong["listed"], wrong["too_plain"], wrong["matches"]) == (None, False, [])
    assert words in wrong["error"]
    assert wrong["error"].endswith(".")


def test_a_call_has_at_most_3000_frames(listed, key, ask):
    film = {"film": [FRAME] * 1000}
    assert ask(key, [film] * 3).status_code == 200
    refused(ask(key, [film] * 3 + [{"film": [FRAME]}]), 422, "3,000 frames")


def test_one_film_of_more_frames_is_refused_as_a_whole_and_costs_nothing(listed, key, ask):
    refused(ask(key, [{"film": [FRAME] * 3001}]), 422, "3,000 frames")
    service.allowances.settle()
    assert not Usage.objects.exists()


@pytest.mark.parametrize(("path", "allowed"), [("/api/v1/match", "POST"), ("/api/v1/usage", "GET")])
def test_another_method_is_refused_as_everything_is(path, allowed, face):
    client = face("partners")
    for method in {"get", "post", "put", "patch", "delete"} - {allowed.lower()}:
        answer = client.generic(method.upper(), path, b"{}", content_type="application/json")
        assert refused(answer, 405, allowed)["Allow"] == allowed


def test_a_giant_body_is_refused_unread(listed, key, ask, settings):
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    refused(ask(key, [STILL], CONTENT_LENGTH=str(size)), 413, "Nothing was read")
    refused(ask(key, b" " * size), 413, "Nothing was read")


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=x", "text/plain"])
def test_a_picture_is_refused_unread(kind, listed, key, ask):
    refused(ask(key, [STILL], kind=kind), 415, "never a picture")


def test_forms_of_the_same_face_are_as_small_and_plain_as_before(face):
    client = face("partners")
    answer = client.generic("POST", "/answer/x", b"{}", content_type="application/json")
    assert answer.status_code == 415
    assert "text/html" in answer["Content-Type"]


@pytest.mark.parametrize("given", ["", "slk_wrong", "slk_" + "é" * 43])
def test_without_a_good_key_nothing_is_told(given, listed, ask):
    answer = refused(ask(given, [STILL]), 401, "key")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_is_told_nothing(listed, key, ask, now):
    revoke_key(ApiKey.objects.get(), by="test", now=now)
    refused(ask(key, [STILL]), 401, "key")


def test_a_key_revoked_while_the_answer_is_made_is_told_nothing(listed, key, ask, now):
    find = listed.find

    def slowly(items, columns):
        revoke_key(ApiKey.objects.get(), by="test", now=now)
        return find(items, columns)

    listed.find = slowly
    answer = refused(ask(key, [STILL] * 1000), 401, "revoked while")
    assert "listed" not in answer.content.decode().replace("answer", "")


def test_a_key_suspended_while_the_answer_is_made_is_told_nothing(listed, key, ask, now):
    alarm = alarms.raise_alarm(caller_of(key), Suspicion(Alarm.Kind.EDGE, 9, 7, 17), now=now)
    find = listed.find

    def slowly(items, columns):
        alarms.settle_alarm(alarm, "suspended", by="person:1", now=now)
        return find(items, columns)

    listed.find = slowly
    answer = refused(ask(key, [STILL] * 10), 403, "suspended")
    assert "listed" not in answer.content.decode()
    refused(ask(key, [STILL]), 403, "suspended")


def test_a_look_up_key_opens_no_file_of_the_list(listed, key, face):
    client = face("partners")
    for path in ("/api/v1/list", "/lists/latest", "/lists/x"):
        assert client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_call_sent_again_is_answered_again_and_is_no_probing(listed, key, ask):
    answers = {ask(key, [{"id": "a", "pdq": PDQ, "quality": 90}]).content for _ in range(40)}
    assert len(answers) == 1
    assert not Alarm.objects.exists()


def test_no_other_way_leads_to_the_list(listed, key, face):
    client, bearer = face("partners"), {"Authorization": f"Bearer {key}"}
    for method in ("get", "head", "put", "delete", "patch"):
        assert getattr(client, method)("/api/v1/match", headers=bearer).status_code >= 400
    for path in (f"/api/v1/match/{SHA[:8]}", f"/api/v1/match?sha256={SHA}", "/api/v1/entries/1"):
        assert client.get(path, headers=bearer).status_code in {401, 404, 405}


@pytest.mark.parametrize("path", ["/api/v1/match", "/api/v1/usage"])
def test_without_the_database_the_answer_is_try_again(path, listed, key, face, monkeypatch):
    from strandline.hotline.partners import match_api

    def gone(_token):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(match_api, "caller_of", gone)
    client = face("partners")
    send = client.post if path.endswith("match") else client.get
    answer = send(path, headers={"Authorization": f"Bearer {key}"})
    if path.endswith("match"):
        answer = client.generic(
            "POST",
            path,
            json.dumps({"items": [STILL]}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
    refused(answer, 503, "send this again")
    assert answer["Retry-After"] == "10"


def test_without_a_list_the_answer_is_try_again(listed, key, ask, monkeypatch):
    def nothing(_folder):
        raise NoList("There is no list to look anything up in just now.")

    monkeypatch.setattr(service, "current", Current(nothing))
    assert refused(ask(key, [STILL]), 503, "no list")["Retry-After"] == "60"
    service.allowances.settle()
    assert not Usage.objects.exists(), "what was not answered costs nothing"
