-- The store's tables (docs/explanation/architecture.md, "Rules of the keystore").
-- Written for SQLite; migrate.ts turns types and WITHOUT ROWID into what another database calls them.

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- One wrap of an epoch's secret per master key or recovery key; seals counts what was sealed under it.
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY,
  seals BIGINT NOT NULL
);

CREATE TABLE epoch_wraps (
  epoch INTEGER NOT NULL,
  provider TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (epoch, provider)
) WITHOUT ROWID;

-- One row per object. Only id, object_type, group_name, epoch, revision and record are under the MAC;
-- the dates and numbers are copies for Locate, entries lists the object's rows in the two tables below.
CREATE TABLE objects (
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  group_name TEXT NOT NULL,
  object_type INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL,
  initial_date BIGINT NOT NULL,
  last_change_date BIGINT NOT NULL,
  activation_date BIGINT,
  deactivation_date BIGINT,
  destroy_date BIGINT,
  compromise_date BIGINT,
  archive_date BIGINT,
  algorithm BIGINT,
  key_length BIGINT,
  usage_mask BIGINT,
  fresh INTEGER,
  wipe_after BIGINT,
  entries TEXT NOT NULL,
  mac BLOB NOT NULL,
  record BLOB NOT NULL,
  sealed BLOB
);

CREATE INDEX objects_newest ON objects (group_name, initial_date, n);

CREATE INDEX objects_wipe ON objects (wipe_after) WHERE wipe_after IS NOT NULL;

-- The newest revision of each object that was ever changed.
CREATE TABLE revisions (
  object INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  mac BLOB NOT NULL
);

CREATE TABLE attribute_index (
  group_name TEXT NOT NULL,
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (group_name, attribute, value, n)
) WITHOUT ROWID;

CREATE TABLE unique_entries (
  group_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (group_name, kind, value)
) WITHOUT ROWID;

-- Deleted documents keep their row, without body, so that their revision goes on.
CREATE TABLE documents (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  change BIGINT NOT NULL,
  mac BLOB NOT NULL,
  body TEXT,
  sealed BLOB,
  PRIMARY KEY (kind, name)
);

CREATE INDEX documents_change ON documents (change);

-- The newest revision of each document, deleted ones too: a document put back or taken away shows here.
CREATE TABLE document_revisions (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- One row per chain and group commit: the records first to last as a JSON array.
CREATE TABLE audit (
  chain TEXT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  epoch INTEGER NOT NULL,
  mac BLOB NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (chain, first)
);

-- Which records concern an object, filled behind the chains up to audit_indexed.
CREATE TABLE audit_objects (
  object TEXT NOT NULL,
  chain TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (object, chain, number)
) WITHOUT ROWID;

CREATE TABLE audit_indexed (
  chain TEXT PRIMARY KEY,
  number BIGINT NOT NULL
) WITHOUT ROWID;
