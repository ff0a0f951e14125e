-- What a row says each time that it is written, in one chain: whoever changes, adds, drops or swaps rows past aisle
-- leaves rows that are not what was sealed. Which tables and columns are sealed: `src/db/seals.rs`.

-- Append-only: `digest` chains each seal to the one before.
CREATE TABLE seals (
  seq BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,        -- the table
  subject TEXT NOT NULL,     -- the key of the row
  content TEXT NOT NULL,     -- SHA-256 of what the row says
  digest TEXT NOT NULL
) {strict};

-- SQLite asks no trigger about the row that REPLACE removes, unless the connection wants it: so the new one is refused.
-- only sqlite
CREATE TRIGGER seals_no_update BEFORE UPDATE ON seals BEGIN
  SELECT RAISE(ABORT, 'seals is append-only');
END;
CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals BEGIN
  SELECT RAISE(ABORT, 'seals is append-only');
END;
CREATE TRIGGER seals_no_replace BEFORE INSERT ON seals
WHEN EXISTS (SELECT 1 FROM seals WHERE seq = NEW.seq) BEGIN
  SELECT RAISE(ABORT, 'seals is append-only, and this row is there already');
END;
CREATE TRIGGER transfers_no_replace BEFORE INSERT ON transfers
WHEN EXISTS (SELECT 1 FROM transfers WHERE seq = NEW.seq)
  OR EXISTS (SELECT 1 FROM transfers WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM transfers WHERE reservation = NEW.reservation) BEGIN
  SELECT RAISE(ABORT, 'transfers is append-only, and this row is there already');
END;
CREATE TRIGGER receipts_no_replace BEFORE INSERT ON receipts
WHEN EXISTS (SELECT 1 FROM receipts WHERE cart = NEW.cart AND version = NEW.version)
  OR EXISTS (SELECT 1 FROM receipts WHERE rowid = NEW.rowid) BEGIN
  SELECT RAISE(ABORT, 'receipts is append-only, and this row is there already');
END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq) BEGIN
  SELECT RAISE(ABORT, 'audit is append-only, and this row is there already');
END;
-- end
-- A session that calls itself a replica fires those triggers only that are always on.
-- only postgresql
CREATE TRIGGER seals_no_change BEFORE UPDATE OR DELETE ON seals
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seals_no_truncate BEFORE TRUNCATE ON seals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_no_change;
ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_no_truncate;
ALTER TABLE transfers ENABLE ALWAYS TRIGGER transfers_no_change;
ALTER TABLE transfers ENABLE ALWAYS TRIGGER transfers_no_truncate;
ALTER TABLE receipts ENABLE ALWAYS TRIGGER receipts_no_change;
ALTER TABLE receipts ENABLE ALWAYS TRIGGER receipts_no_truncate;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_truncate;
-- end
