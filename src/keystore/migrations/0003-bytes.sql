-- What clients look for, and claim as their own, becomes bytes: a text of PostgreSQL cannot hold U+0000,
-- and its index no long entries. Attribute names and identifiers are cut at 512 bytes, which costs a
-- candidate more to be checked in the rare case that two are alike up to there.

CREATE TABLE attribute_index_3 (
  group_name TEXT NOT NULL,
  attribute BLOB NOT NULL,
  value BLOB NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (group_name, attribute, value, n)
) WITHOUT ROWID;

INSERT INTO attribute_index_3 (group_name, attribute, value, n)
  SELECT group_name, substr(CAST(attribute AS BLOB), 1, 512), CAST(value AS BLOB), n
  FROM attribute_index WHERE true
  ON CONFLICT DO NOTHING;

DROP TABLE attribute_index;

ALTER TABLE attribute_index_3 RENAME TO attribute_index;

CREATE TABLE unique_entries_3 (
  group_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  value BLOB NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (group_name, kind, value)
) WITHOUT ROWID;

INSERT INTO unique_entries_3 (group_name, kind, value, n)
  SELECT group_name, kind, CAST(value AS BLOB), n FROM unique_entries;

DROP TABLE unique_entries;

ALTER TABLE unique_entries_3 RENAME TO unique_entries;

CREATE TABLE audit_objects_3 (
  object BLOB NOT NULL,
  chain TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (object, chain, number)
) WITHOUT ROWID;

INSERT INTO audit_objects_3 (object, chain, number)
  SELECT substr(CAST(object AS BLOB), 1, 512), chain, number FROM audit_objects WHERE true
  ON CONFLICT DO NOTHING;

DROP TABLE audit_objects;

ALTER TABLE audit_objects_3 RENAME TO audit_objects;
