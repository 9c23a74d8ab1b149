"""The table of allowed changes as database triggers.

Migrations install it with the pairs that held when they were written; a test compares the
installed guard with ``states.CHANGES``. SQLite loses triggers when Django rebuilds a table: a
migration that alters ``ReportedUrl`` installs the guard again.
"""

from collections.abc import Iterable

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "reports_reportedurl"
HISTORY = "reports_statechange"

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION reports_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> '{first}' THEN
      RAISE EXCEPTION 'an address begins as {first}, not %', NEW.state USING ERRCODE = '23514';
    END IF;
  ELSIF OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({pairs}) THEN
    RAISE EXCEPTION 'an address cannot go from % to %', OLD.state, NEW.state
      USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS reports_state_guard ON {table};
CREATE TRIGGER reports_state_guard BEFORE INSERT OR UPDATE OF state ON {table}
  FOR EACH ROW EXECUTE FUNCTION reports_state_guard();
CREATE OR REPLACE FUNCTION reports_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'addresses and their history stay' USING ERRCODE = '23514'; END $$;
DROP TRIGGER IF EXISTS reports_address_stays ON {table};
CREATE TRIGGER reports_address_stays BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION reports_stays();
DROP TRIGGER IF EXISTS reports_history_stays ON {history};
CREATE TRIGGER reports_history_stays BEFORE UPDATE OR DELETE ON {history}
  FOR EACH ROW EXECUTE FUNCTION reports_stays();
"""

_SQLITE = (
    "DROP TRIGGER IF EXISTS reports_state_guard_insert",
    "DROP TRIGGER IF EXISTS reports_state_guard_replace",
    "DROP TRIGGER IF EXISTS reports_state_guard_update",
    """CREATE TRIGGER reports_state_guard_insert BEFORE INSERT ON {table}
    WHEN NEW.state <> '{first}'
    BEGIN SELECT RAISE(ABORT, 'an address begins as {first}'); END""",
    # REPLACE would remove an address and let it begin again.
    """CREATE TRIGGER reports_state_guard_replace BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR url = NEW.url)
    BEGIN SELECT RAISE(ABORT, 'UNIQUE: this address is in the record already'); END""",
    """CREATE TRIGGER reports_state_guard_update BEFORE UPDATE OF state ON {table}
    WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({pairs})
    BEGIN SELECT RAISE(ABORT, 'this change of state is not allowed'); END""",
    # An address that was removed from the table could begin again: it stays, with its history.
    "DROP TRIGGER IF EXISTS reports_address_stays",
    "DROP TRIGGER IF EXISTS reports_history_stays",
    "DROP TRIGGER IF EXISTS reports_history_unchanged",
    """CREATE TRIGGER reports_address_stays BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, 'addresses and their history stay'); END""",
    """CREATE TRIGGER reports_history_stays BEFORE DELETE ON {history}
    BEGIN SELECT RAISE(ABORT, 'addresses and their history stay'); END""",
    """CREATE TRIGGER reports_history_unchanged BEFORE UPDATE ON {history}
    BEGIN SELECT RAISE(ABORT, 'addresses and their history stay'); END""",
)


def install(editor: BaseDatabaseSchemaEditor, first: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Install or replace the guard."""
    values = {
        "table": TABLE,
        "history": HISTORY,
        "first": first,
        "pairs": ", ".join(f"'{a}>{b}'" for a, b in pairs),
    }
    if editor.connection.vendor == "postgresql":
        # None, not (): with parameters, the per cent signs of RAISE would be read as placeholders.
        editor.execute(_POSTGRESQL.format(**values), params=None)
        return
    for statement in _SQLITE:
        editor.execute(statement.format(**values))
