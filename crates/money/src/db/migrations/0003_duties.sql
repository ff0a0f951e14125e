-- Stays of people who work in the shop: what they take and bring is noted like anybody's, and nobody is asked to pay for it.
CREATE TABLE duties (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  role TEXT NOT NULL,        -- facts::EntryRole: staff, restock
  token TEXT REFERENCES tokens (id)  -- what was shown at the gate; empty where a gate said so by itself
) {strict};

-- Receipts in order of when people left.
CREATE INDEX carts_by_left ON carts (shop, left_at);
