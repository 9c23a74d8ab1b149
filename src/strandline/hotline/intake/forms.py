"""One-time forms: tokens, and the answer to a form kept so that sending it twice shows it again.

A double click sends a form twice, and the browser shows the second answer. If only the first
answer held the return code, its reporter would lose it. So the answer is kept for an hour, sealed
under a key derived from the form's token: the server stores only the token's hash, and cannot open
the answer unless the same page asks again. ``docs/decisions/0006-one-form-one-report.md`` says
more.
"""

import hashlib
import hmac
import json
import os
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.signing import BadSignature, Signer

from strandline.hotline.intake.models import SentForm

#: A form may stay open this long before it is sent.
FORM_LIVES = timedelta(days=1)
#: The return code can be shown again this long, unless it is acknowledged earlier.
ANSWER_LIVES = timedelta(hours=1)

_NONCE = 12
_LONGEST_TOKEN = 200


def new_token(now: datetime) -> str:
    """A token for one form, good for one sending within :data:`FORM_LIVES`."""
    return _signer().sign(f"{secrets.token_urlsafe(32)}.{int(now.timestamp())}")


def age(token: str, now: datetime) -> timedelta | None:
    """How long ago this hotline gave the token out; none if never, or before the last day."""
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        _, _, issued = _signer().unsign(token).rpartition(".")
    except BadSignature:
        return None
    old = timedelta(seconds=int(now.timestamp()) - int(issued))
    return old if old <= FORM_LIVES else None


def content_hash(token: str, *typed: str) -> str:
    """What was typed into a form, comparable only by whoever holds the form (HMAC-SHA-256)."""
    key = _key(token, b"strandline intake content")
    return hmac.digest(key, json.dumps([text.strip() for text in typed]).encode(), "sha256").hex()


def token_hash(token: str) -> str:
    """How a token is known once it was used."""
    return hashlib.sha256(token.encode()).hexdigest()


def seal_answer(token: str, *, reference: str, code: str) -> bytes:
    """The answer under a key that only the token gives: AES-256-GCM, HKDF-SHA-256 (RFC 5869)."""
    nonce = os.urandom(_NONCE)
    text = json.dumps([reference, code]).encode()
    return nonce + AESGCM(_key(token)).encrypt(nonce, text, None)


def open_answer(token: str, sent: SentForm, now: datetime) -> tuple[str, str] | None:
    """Reference and return code; none once acknowledged or after :data:`ANSWER_LIVES`."""
    sealed = bytes(sent.answer_sealed)
    if not sealed or now - sent.sent_at > ANSWER_LIVES:
        return None
    reference, code = json.loads(
        AESGCM(_key(token)).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    )
    return reference, code


def keep(token: str, now: datetime, answer: bytes, *, content: str) -> None:
    """Note, in the caller's transaction, that this form was sent; IntegrityError if it was."""
    SentForm.objects.create(
        token_hash=token_hash(token), sent_at=now, answer_sealed=answer, content_hash=content
    )
    forget_old(now)


def forget_old(now: datetime) -> None:
    """Empty answers nobody may see again; delete forms that could not be sent again anyway."""
    SentForm.objects.filter(sent_at__lt=now - FORM_LIVES).delete()
    SentForm.objects.filter(sent_at__lt=now - ANSWER_LIVES).exclude(answer_sealed=b"").update(
        answer_sealed=b""
    )


def _key(token: str, purpose: bytes = b"strandline intake answer") -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(token.encode())


def _signer() -> Signer:
    return Signer(salt="strandline.intake.form")
