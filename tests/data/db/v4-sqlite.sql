CREATE TABLE migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,      -- SHA-256 of the file
  applied_at INTEGER NOT NULL
) STRICT;
CREATE TABLE shops (
  name TEXT PRIMARY KEY,
  described_at INTEGER NOT NULL,
  body TEXT NOT NULL         -- shop::ShopDraft
) STRICT;
CREATE TABLE shoppers (
  id TEXT PRIMARY KEY,
  name TEXT,
  contact TEXT,
  method TEXT,               -- facts::PaymentMethod
  gate_digest TEXT UNIQUE,   -- SHA-256 of the token shown at a gate
  created_at INTEGER NOT NULL,
  erased_at INTEGER
) STRICT;
CREATE TABLE carts (
  id TEXT PRIMARY KEY,
  shop TEXT NOT NULL REFERENCES shops (name),
  shopper TEXT REFERENCES shoppers (id),
  visit TEXT,                -- base::VisitId, once a track is bound to it
  gate TEXT,
  entered_at INTEGER NOT NULL,
  left_at INTEGER,
  state TEXT NOT NULL,       -- open, review, settled
  receipt INTEGER NOT NULL DEFAULT 0,  -- newest version, 0 for none
  booked INTEGER NOT NULL DEFAULT 0,   -- version that is in the ledger, 0 for none
  live TEXT                  -- what is known while it is open
) STRICT;
CREATE INDEX carts_by_state ON carts (shop, state, entered_at);
CREATE INDEX carts_by_shopper ON carts (shopper, entered_at);
CREATE TABLE receipts (
  cart TEXT NOT NULL REFERENCES carts (id),
  version INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  origin TEXT NOT NULL,      -- engine, verdict
  body TEXT NOT NULL,        -- facts::Receipt
  PRIMARY KEY (cart, version)
) STRICT;
CREATE TABLE evidence (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  kept_until INTEGER NOT NULL,
  body TEXT NOT NULL         -- list of attributions with their references
) STRICT;
CREATE INDEX evidence_by_end ON evidence (kept_until);
CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL REFERENCES carts (id),
  receipt INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  decided_at INTEGER,
  body TEXT NOT NULL         -- facts::Case
) STRICT;
CREATE INDEX cases_by_state ON cases (decided_at, opened_at);
CREATE INDEX cases_by_cart ON cases (cart, opened_at);
CREATE TABLE payments (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL UNIQUE REFERENCES carts (id),
  shopper TEXT NOT NULL REFERENCES shoppers (id),
  state TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  body TEXT NOT NULL         -- ledger::Payment
) STRICT;
CREATE INDEX payments_by_shopper ON payments (shopper, state);
CREATE TABLE transfers (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,        -- direct, reserve, post, void
  reservation TEXT UNIQUE REFERENCES transfers (id),
  reason TEXT NOT NULL,
  debit TEXT NOT NULL,
  credit TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  cart TEXT NOT NULL REFERENCES carts (id),
  receipt INTEGER,
  at INTEGER NOT NULL,
  digest TEXT NOT NULL,
  CHECK (debit <> credit),
  CHECK ((kind IN ('post', 'void')) = (reservation IS NOT NULL)),
  CHECK ((kind = 'void') = (amount = 0))
) STRICT;
CREATE INDEX transfers_by_cart ON transfers (cart, seq);
CREATE TABLE balances (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  debits INTEGER NOT NULL,
  credits INTEGER NOT NULL,
  debits_reserved INTEGER NOT NULL,
  credits_reserved INTEGER NOT NULL,
  PRIMARY KEY (account, currency)
) STRICT;
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,       -- base::TransferId, the idempotency key
  payment TEXT NOT NULL REFERENCES payments (id),
  state TEXT NOT NULL,       -- due, done, declined, stuck
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,    -- also the end of the lease of whoever is at it
  unsure_since INTEGER,       -- since when it may have been carried out unheard
  reference TEXT,            -- what the provider calls it
  made_at INTEGER NOT NULL,
  answered_at INTEGER,
  body TEXT NOT NULL,        -- facts::Order
  answer TEXT                -- facts::Answer, the last one
) STRICT;
CREATE INDEX outbox_by_due ON outbox (state, due_at);
CREATE INDEX outbox_by_reference ON outbox (reference);
CREATE INDEX outbox_by_payment ON outbox (payment);
CREATE TABLE notices (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT;
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
  role TEXT NOT NULL,
  holder TEXT NOT NULL,
  shopper TEXT REFERENCES shoppers (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE checkpoints (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
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
CREATE TABLE seals (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,        -- the table
  subject TEXT NOT NULL,     -- the key of the row
  content TEXT NOT NULL,     -- SHA-256 of what the row says
  digest TEXT NOT NULL
) STRICT;
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
CREATE TABLE duties (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  role TEXT NOT NULL,        -- facts::EntryRole: staff, restock
  token TEXT REFERENCES tokens (id)  -- what was shown at the gate; empty where a gate said so by itself
) STRICT;
CREATE INDEX carts_by_left ON carts (shop, left_at);
CREATE TABLE passes (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL REFERENCES carts (id),
  digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
  sort TEXT NOT NULL,        -- link, code
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX passes_by_cart ON passes (cart, created_at);
CREATE TABLE companions (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  host TEXT NOT NULL REFERENCES carts (id)  -- the cart of whoever let them in
) STRICT;
CREATE INDEX companions_by_host ON companions (host, cart);
INSERT INTO migrations VALUES (1, 'book', 'f08fba4ceed81e8b96126048169f35325af39a793aa781e80e957dd9ff983d76', 1764000000000000000);
INSERT INTO migrations VALUES (2, 'seals', 'e6f3b0612f2547a0c278381fb52ddb1772f1f618d8211a19133dc1c7d8baee82', 1764000000000000000);
INSERT INTO migrations VALUES (3, 'duties', '65345f805d136e386ea231df379e0f2c38828fe2604db6181020ce00eee398ae', 1764000000000000000);
INSERT INTO migrations VALUES (4, 'passes', '30463a9734e4de29fd73992fa50c90f7e4307683f8c3df344da8f6560240dec2', 1764000000000000000);
INSERT INTO shops (name, described_at, body) VALUES ('corner', 1, '{}');
INSERT INTO shoppers (id, name, created_at) VALUES ('shopper_1', 'Ada', 1);
INSERT INTO carts (id, shop, shopper, entered_at, state) VALUES ('cart_1', 'corner', 'shopper_1', 2, 'settled');
INSERT INTO receipts (cart, version, made_at, origin, body) VALUES ('cart_1', 1, 3, 'engine', '{}');
INSERT INTO transfers (seq, id, kind, reason, debit, credit, amount, currency, cart, at, digest)
  VALUES (1, 'transfer_1', 'direct', 'sale', 'shopper/1', 'revenue', 250, 'EUR', 'cart_1', 4, 'd');
INSERT INTO audit (seq, at, who, role, action, subject, detail) VALUES (1, 5, 'ada', 'operator', 'a', 'b', 'c');
