-- The book of a shop. Times are nanoseconds since the Unix epoch, money is minor units, names are text.
-- Columns called `body` hold JSON of the type that the comment names. How this file is read: `src/db/migrations.rs`.

-- The shops whose carts are here, as they were described last.
CREATE TABLE shops (
  name TEXT PRIMARY KEY,
  described_at BIGINT NOT NULL,
  body TEXT NOT NULL         -- shop::ShopDraft
) {strict};

-- Who pays. Personal columns are emptied when a shopper is erased.
CREATE TABLE shoppers (
  id TEXT PRIMARY KEY,
  name TEXT,
  contact TEXT,
  method TEXT,               -- facts::PaymentMethod
  gate_digest TEXT UNIQUE,   -- SHA-256 of the token shown at a gate
  created_at BIGINT NOT NULL,
  erased_at BIGINT
) {strict};

-- One stay each. `shopper` is empty while nobody knows who pays.
CREATE TABLE carts (
  id TEXT PRIMARY KEY,
  shop TEXT NOT NULL REFERENCES shops (name),
  shopper TEXT REFERENCES shoppers (id),
  visit TEXT,                -- base::VisitId, once a track is bound to it
  gate TEXT,
  entered_at BIGINT NOT NULL,
  left_at BIGINT,
  state TEXT NOT NULL,       -- open, review, settled
  receipt BIGINT NOT NULL DEFAULT 0,  -- newest version, 0 for none
  booked BIGINT NOT NULL DEFAULT 0,   -- version that is in the ledger, 0 for none
  live TEXT                  -- what is known while it is open
) {strict};
CREATE INDEX carts_by_state ON carts (shop, state, entered_at);
CREATE INDEX carts_by_shopper ON carts (shopper, entered_at);

-- Append-only: every version of every receipt.
CREATE TABLE receipts (
  cart TEXT NOT NULL REFERENCES carts (id),
  version BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  origin TEXT NOT NULL,      -- engine, verdict
  body TEXT NOT NULL,        -- facts::Receipt
  PRIMARY KEY (cart, version)
) {strict};

-- Why a receipt says what it says; deleted when its time is over.
CREATE TABLE evidence (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  kept_until BIGINT NOT NULL,
  body TEXT NOT NULL         -- list of attributions with their references
) {strict};
CREATE INDEX evidence_by_end ON evidence (kept_until);

CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL REFERENCES carts (id),
  receipt BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  decided_at BIGINT,
  body TEXT NOT NULL         -- facts::Case
) {strict};
CREATE INDEX cases_by_state ON cases (decided_at, opened_at);
CREATE INDEX cases_by_cart ON cases (cart, opened_at);

CREATE TABLE payments (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL UNIQUE REFERENCES carts (id),
  shopper TEXT NOT NULL REFERENCES shoppers (id),
  state TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  body TEXT NOT NULL         -- ledger::Payment
) {strict};
CREATE INDEX payments_by_shopper ON payments (shopper, state);

-- Append-only: the ledger. `digest` chains each row to the one before.
CREATE TABLE transfers (
  seq BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,        -- direct, reserve, post, void
  reservation TEXT UNIQUE REFERENCES transfers (id),
  reason TEXT NOT NULL,
  debit TEXT NOT NULL,
  credit TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  cart TEXT NOT NULL REFERENCES carts (id),
  receipt BIGINT,
  at BIGINT NOT NULL,
  digest TEXT NOT NULL,
  CHECK (debit <> credit),
  CHECK ((kind IN ('post', 'void')) = (reservation IS NOT NULL)),
  CHECK ((kind = 'void') = (amount = 0))
) {strict};
CREATE INDEX transfers_by_cart ON transfers (cart, seq);

-- Sums of the ledger by account; what `ledger check` proves them to be.
CREATE TABLE balances (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  debits BIGINT NOT NULL,
  credits BIGINT NOT NULL,
  debits_reserved BIGINT NOT NULL,
  credits_reserved BIGINT NOT NULL,
  PRIMARY KEY (account, currency)
) {strict};

-- What must leave the house: orders to payment providers.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,       -- base::TransferId, the idempotency key
  payment TEXT NOT NULL REFERENCES payments (id),
  state TEXT NOT NULL,       -- due, done, declined, stuck
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,    -- also the end of the lease of whoever is at it
  unsure_since BIGINT,       -- since when it may have been carried out unheard
  reference TEXT,            -- what the provider calls it
  made_at BIGINT NOT NULL,
  answered_at BIGINT,
  body TEXT NOT NULL,        -- facts::Order
  answer TEXT                -- facts::Answer, the last one
) {strict};
CREATE INDEX outbox_by_due ON outbox (state, due_at);
CREATE INDEX outbox_by_reference ON outbox (reference);
CREATE INDEX outbox_by_payment ON outbox (payment);

-- Messages of providers that were taken in; the same one twice is one.
CREATE TABLE notices (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (provider, id)
) {strict};

-- Keys to the API. The secret itself is nowhere.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
  role TEXT NOT NULL,
  holder TEXT NOT NULL,
  shopper TEXT REFERENCES shoppers (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
) {strict};

-- Append-only: who did what.
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) {strict};

-- Where the engine was, so that it can go on.
CREATE TABLE checkpoints (
  name TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  body {bytes} NOT NULL
) {strict};

-- What is append-only stays as it was written, whoever asks.
-- only sqlite
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers BEGIN
  SELECT RAISE(ABORT, 'transfers is append-only');
END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers BEGIN
  SELECT RAISE(ABORT, 'transfers is append-only');
END;
CREATE TRIGGER receipts_no_update BEFORE UPDATE ON receipts BEGIN
  SELECT RAISE(ABORT, 'receipts is append-only');
END;
CREATE TRIGGER receipts_no_delete BEFORE DELETE ON receipts BEGIN
  SELECT RAISE(ABORT, 'receipts is append-only');
END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit is append-only');
END;
-- end
-- only postgresql
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER transfers_no_change BEFORE UPDATE OR DELETE ON transfers
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfers_no_truncate BEFORE TRUNCATE ON transfers
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipts_no_change BEFORE UPDATE OR DELETE ON receipts
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipts_no_truncate BEFORE TRUNCATE ON receipts
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- end
