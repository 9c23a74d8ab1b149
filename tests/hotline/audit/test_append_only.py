"""The database itself refuses to change the chain, whatever program asks."""

import pytest
from django.db import DatabaseError, connection, transaction

from strandline.hotline.audit import verify
from strandline.hotline.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

ATTACKS = {
    "update": "UPDATE audit_auditentry SET actor = 'nobody' WHERE sequence = 2",
    "update of a key": "UPDATE audit_auditentry SET sequence = 99 WHERE sequence = 3",
    "delete": "DELETE FROM audit_auditentry WHERE sequence = 3",
    "delete everything": "DELETE FROM audit_auditentry",
    "insert or replace": "INSERT OR REPLACE INTO audit_auditentry SELECT sequence, at, 'nobody',"
    " action, subject, detail, previous, hash FROM audit_auditentry WHERE sequence = 2",
    "replace": "REPLACE INTO audit_auditentry SELECT sequence, at, 'nobody', action, subject,"
    " detail, previous, hash FROM audit_auditentry WHERE sequence = 2",
    "upsert": "INSERT INTO audit_auditentry (sequence, at, actor, action, subject, detail,"
    " previous, hash) SELECT sequence, at, 'nobody', action, subject, detail, previous, hash"
    " FROM audit_auditentry WHERE sequence = 2"
    " ON CONFLICT (sequence) DO UPDATE SET actor = 'nobody'",
    "truncate": "TRUNCATE audit_auditentry",
}
ONLY = {"insert or replace": "sqlite", "replace": "sqlite", "truncate": "postgresql"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_raw_sql_cannot_change_the_chain(attack, record, sql):
    if ONLY.get(attack, connection.vendor) != connection.vendor:
        pytest.skip(f"{connection.vendor} has no such statement")
    record(3)
    before = list(AuditEntry.objects.values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(ATTACKS[attack])
    assert list(AuditEntry.objects.values()) == before
    assert verify.verify().ok


def test_models_cannot_change_it_either(record):
    entry = record(2)[0]
    entry.actor = "nobody"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=1).update(actor="nobody")
    assert verify.verify().ok
