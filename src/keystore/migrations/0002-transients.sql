-- What is kept for a while and then forgotten, row and all: asynchronous requests with their answers, tickets.
-- All but n is under the MAC. There are no revisions: a row put back after its end counts until it expires.

CREATE TABLE transients (
  n INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  expires BIGINT NOT NULL,
  epoch INTEGER NOT NULL,
  mac BLOB NOT NULL,
  body TEXT NOT NULL,
  sealed BLOB,
  UNIQUE (kind, name)
);

CREATE INDEX transients_owner ON transients (kind, owner, n);

CREATE INDEX transients_expires ON transients (expires);
