-- Keys to one stay, for whoever was let in. The secrets themselves are nowhere. Deleted when their time is over.
CREATE TABLE passes (
  id TEXT PRIMARY KEY,
  cart TEXT NOT NULL REFERENCES carts (id),
  digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
  sort TEXT NOT NULL,        -- link, code
  created_at BIGINT NOT NULL
) {strict};
CREATE INDEX passes_by_cart ON passes (cart, created_at);

-- Stays of people whom somebody else let in with them, and pays for.
CREATE TABLE companions (
  cart TEXT PRIMARY KEY REFERENCES carts (id),
  host TEXT NOT NULL REFERENCES carts (id)  -- the cart of whoever let them in
) {strict};
CREATE INDEX companions_by_host ON companions (host, cart);
