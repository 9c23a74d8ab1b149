"""The database itself refuses to change or remove an event or what it says of an entry."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("event", "fingerprint")
SENTENCE = "events of the list are never changed"

POSTGRESQL = f"""
CREATE FUNCTION hashlist_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = '23514'; END $$;
"""


def install(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER hashlist_{table}_kept BEFORE UPDATE OR DELETE ON hashlist_{table} "
                "FOR EACH ROW EXECUTE FUNCTION hashlist_refuse()"
            )
        return
    for table in TABLES:
        for act in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER hashlist_{table}_no_{act.lower()} BEFORE {act} "
                f"ON hashlist_{table} BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            )


class Migration(migrations.Migration):
    dependencies = [("hashlist", "0004_only_events")]
    operations = [migrations.RunPython(install, elidable=False)]
