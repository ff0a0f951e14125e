CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TABLE audit (
    seq bigint NOT NULL,
    at bigint NOT NULL,
    who text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE balances (
    account text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL COLLATE pg_catalog."C",
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    debits_reserved bigint NOT NULL,
    credits_reserved bigint NOT NULL
);
CREATE TABLE carts (
    id text NOT NULL COLLATE pg_catalog."C",
    shop text NOT NULL COLLATE pg_catalog."C",
    shopper text COLLATE pg_catalog."C",
    visit text COLLATE pg_catalog."C",
    gate text COLLATE pg_catalog."C",
    entered_at bigint NOT NULL,
    left_at bigint,
    state text NOT NULL COLLATE pg_catalog."C",
    receipt bigint DEFAULT 0 NOT NULL,
    booked bigint DEFAULT 0 NOT NULL,
    live text COLLATE pg_catalog."C"
);
CREATE TABLE cases (
    id text NOT NULL COLLATE pg_catalog."C",
    cart text NOT NULL COLLATE pg_catalog."C",
    receipt bigint NOT NULL,
    opened_at bigint NOT NULL,
    decided_at bigint,
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE checkpoints (
    name text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE companions (
    cart text NOT NULL COLLATE pg_catalog."C",
    host text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE duties (
    cart text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    token text COLLATE pg_catalog."C"
);
CREATE TABLE evidence (
    cart text NOT NULL COLLATE pg_catalog."C",
    kept_until bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE migrations (
    version bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    applied_at bigint NOT NULL
);
CREATE TABLE notices (
    provider text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    received_at bigint NOT NULL
);
CREATE TABLE outbox (
    id text NOT NULL COLLATE pg_catalog."C",
    payment text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    attempts bigint NOT NULL,
    due_at bigint NOT NULL,
    unsure_since bigint,
    reference text COLLATE pg_catalog."C",
    made_at bigint NOT NULL,
    answered_at bigint,
    body text NOT NULL COLLATE pg_catalog."C",
    answer text COLLATE pg_catalog."C"
);
CREATE TABLE passes (
    id text NOT NULL COLLATE pg_catalog."C",
    cart text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    sort text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE payments (
    id text NOT NULL COLLATE pg_catalog."C",
    cart text NOT NULL COLLATE pg_catalog."C",
    shopper text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    updated_at bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE receipts (
    cart text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    made_at bigint NOT NULL,
    origin text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE seals (
    seq bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    content text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE shoppers (
    id text NOT NULL COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    contact text COLLATE pg_catalog."C",
    method text COLLATE pg_catalog."C",
    gate_digest text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    erased_at bigint
);
CREATE TABLE shops (
    name text NOT NULL COLLATE pg_catalog."C",
    described_at bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE tokens (
    id text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL COLLATE pg_catalog."C",
    shopper text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);
CREATE TABLE transfers (
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    reservation text COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    debit text NOT NULL COLLATE pg_catalog."C",
    credit text NOT NULL COLLATE pg_catalog."C",
    amount bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    cart text NOT NULL COLLATE pg_catalog."C",
    receipt bigint,
    at bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT transfers_amount_check CHECK ((amount >= 0)),
    CONSTRAINT transfers_check CHECK ((debit <> credit)),
    CONSTRAINT transfers_check1 CHECK (((kind = ANY (ARRAY['post'::text, 'void'::text])) = (reservation IS NOT NULL))),
    CONSTRAINT transfers_check2 CHECK (((kind = 'void'::text) = (amount = 0)))
);
ALTER TABLE ONLY audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY balances
    ADD CONSTRAINT balances_pkey PRIMARY KEY (account, currency);
ALTER TABLE ONLY carts
    ADD CONSTRAINT carts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cases
    ADD CONSTRAINT cases_pkey PRIMARY KEY (id);
ALTER TABLE ONLY checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (name);
ALTER TABLE ONLY companions
    ADD CONSTRAINT companions_pkey PRIMARY KEY (cart);
ALTER TABLE ONLY duties
    ADD CONSTRAINT duties_pkey PRIMARY KEY (cart);
ALTER TABLE ONLY evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (cart);
ALTER TABLE ONLY migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (provider, id);
ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY passes
    ADD CONSTRAINT passes_digest_key UNIQUE (digest);
ALTER TABLE ONLY passes
    ADD CONSTRAINT passes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_cart_key UNIQUE (cart);
ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (cart, version);
ALTER TABLE ONLY seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY shoppers
    ADD CONSTRAINT shoppers_gate_digest_key UNIQUE (gate_digest);
ALTER TABLE ONLY shoppers
    ADD CONSTRAINT shoppers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY shops
    ADD CONSTRAINT shops_pkey PRIMARY KEY (name);
ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_digest_key UNIQUE (digest);
ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY transfers
    ADD CONSTRAINT transfers_id_key UNIQUE (id);
ALTER TABLE ONLY transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY transfers
    ADD CONSTRAINT transfers_reservation_key UNIQUE (reservation);
CREATE INDEX carts_by_left ON carts USING btree (shop, left_at);
CREATE INDEX carts_by_shopper ON carts USING btree (shopper, entered_at);
CREATE INDEX carts_by_state ON carts USING btree (shop, state, entered_at);
CREATE INDEX cases_by_cart ON cases USING btree (cart, opened_at);
CREATE INDEX cases_by_state ON cases USING btree (decided_at, opened_at);
CREATE INDEX companions_by_host ON companions USING btree (host, cart);
CREATE INDEX evidence_by_end ON evidence USING btree (kept_until);
CREATE INDEX outbox_by_due ON outbox USING btree (state, due_at);
CREATE INDEX outbox_by_payment ON outbox USING btree (payment);
CREATE INDEX outbox_by_reference ON outbox USING btree (reference);
CREATE INDEX passes_by_cart ON passes USING btree (cart, created_at);
CREATE INDEX payments_by_shopper ON payments USING btree (shopper, state);
CREATE INDEX transfers_by_cart ON transfers USING btree (cart, seq);
CREATE TRIGGER audit_no_change BEFORE DELETE OR UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_change;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_truncate;
CREATE TRIGGER receipts_no_change BEFORE DELETE OR UPDATE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE receipts ENABLE ALWAYS TRIGGER receipts_no_change;
CREATE TRIGGER receipts_no_truncate BEFORE TRUNCATE ON receipts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE receipts ENABLE ALWAYS TRIGGER receipts_no_truncate;
CREATE TRIGGER seals_no_change BEFORE DELETE OR UPDATE ON seals FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_no_change;
CREATE TRIGGER seals_no_truncate BEFORE TRUNCATE ON seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_no_truncate;
CREATE TRIGGER transfers_no_change BEFORE DELETE OR UPDATE ON transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE transfers ENABLE ALWAYS TRIGGER transfers_no_change;
CREATE TRIGGER transfers_no_truncate BEFORE TRUNCATE ON transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE transfers ENABLE ALWAYS TRIGGER transfers_no_truncate;
ALTER TABLE ONLY carts
    ADD CONSTRAINT carts_shop_fkey FOREIGN KEY (shop) REFERENCES shops(name);
ALTER TABLE ONLY carts
    ADD CONSTRAINT carts_shopper_fkey FOREIGN KEY (shopper) REFERENCES shoppers(id);
ALTER TABLE ONLY cases
    ADD CONSTRAINT cases_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY companions
    ADD CONSTRAINT companions_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY companions
    ADD CONSTRAINT companions_host_fkey FOREIGN KEY (host) REFERENCES carts(id);
ALTER TABLE ONLY duties
    ADD CONSTRAINT duties_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY duties
    ADD CONSTRAINT duties_token_fkey FOREIGN KEY (token) REFERENCES tokens(id);
ALTER TABLE ONLY evidence
    ADD CONSTRAINT evidence_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_payment_fkey FOREIGN KEY (payment) REFERENCES payments(id);
ALTER TABLE ONLY passes
    ADD CONSTRAINT passes_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_shopper_fkey FOREIGN KEY (shopper) REFERENCES shoppers(id);
ALTER TABLE ONLY receipts
    ADD CONSTRAINT receipts_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_shopper_fkey FOREIGN KEY (shopper) REFERENCES shoppers(id);
ALTER TABLE ONLY transfers
    ADD CONSTRAINT transfers_cart_fkey FOREIGN KEY (cart) REFERENCES carts(id);
ALTER TABLE ONLY transfers
    ADD CONSTRAINT transfers_reservation_fkey FOREIGN KEY (reservation) REFERENCES transfers(id);
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
