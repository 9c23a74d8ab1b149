"""The database itself refuses a change of state that the table does not list."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from strandline.hotline.reports import guard

FIRST = "received"
PAIRS = [
    ("appealed", "closed"),
    ("appealed", "reopened"),
    ("assessed", "not-illegal"),
    ("assessed", "second-assessed"),
    ("captured", "assessed"),
    ("captured", "needs-information"),
    ("captured", "out-of-remit"),
    ("cleared-by-police", "noticed"),
    ("cleared-by-police", "referred-abroad"),
    ("closed", "reopened"),
    ("deduplicated", "duplicate"),
    ("deduplicated", "triaged"),
    ("monitored", "appealed"),
    ("monitored", "moved"),
    ("monitored", "removed"),
    ("monitored", "unavailable"),
    ("monitored", "unchanged"),
    ("moved", "closed"),
    ("moved", "reopened"),
    ("needs-information", "closed"),
    ("needs-information", "triaged"),
    ("not-found", "closed"),
    ("not-found", "triaged"),
    ("not-illegal", "appealed"),
    ("not-illegal", "closed"),
    ("not-illegal", "reopened"),
    ("noticed", "monitored"),
    ("out-of-remit", "closed"),
    ("out-of-remit", "triaged"),
    ("received", "deduplicated"),
    ("received", "out-of-remit"),
    ("referred-abroad", "monitored"),
    ("removed", "closed"),
    ("removed", "reopened"),
    ("reopened", "noticed"),
    ("reopened", "traced"),
    ("reopened", "triaged"),
    ("second-assessed", "appealed"),
    ("second-assessed", "traced"),
    ("traced", "cleared-by-police"),
    ("traced", "noticed"),
    ("traced", "referred-abroad"),
    ("triaged", "captured"),
    ("triaged", "needs-information"),
    ("triaged", "not-found"),
    ("triaged", "out-of-remit"),
    ("unavailable", "closed"),
    ("unavailable", "monitored"),
    ("unavailable", "removed"),
    ("unavailable", "reopened"),
    ("unchanged", "closed"),
    ("unchanged", "moved"),
    ("unchanged", "removed"),
    ("unchanged", "reopened"),
]


def install(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard.install(schema_editor, FIRST, PAIRS)


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]
    operations = [migrations.RunPython(install, elidable=False)]
