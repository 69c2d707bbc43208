SELECT purge()

SELECT app.purge()

SELECT my.lower('A')

SELECT * FROM purge()

INSERT INTO t VALUES (purge())

UPDATE t SET a = purge() WHERE id = 3

CREATE TABLE kept AS SELECT purge()

ALTER TABLE t ADD COLUMN a int DEFAULT purge()

SELECT lo_unlink(16385)

SELECT pg_catalog.lo_unlink(oid) FROM pg_largeobject_metadata

SELECT "lo_unlink"(1)

SELECT lo_truncate(1, 0)

SELECT lo_put(1, 0, 'x')

SELECT dblink('dbname=x', 'SELECT 1')

SELECT dblink_exec('DELETE FROM t')

SELECT * FROM dblink('c', 'SELECT 1') AS x(a int)

SELECT query_to_xml('SELECT 1', true, true, '')

SELECT pg_drop_replication_slot('s')

SELECT ts_stat('SELECT 1')

CREATE VIEW v AS SELECT lo_unlink(1)

EXPLAIN ANALYZE SELECT lo_unlink(1)

CREATE UNIQUE INDEX i ON t (normalised(a))

CREATE INDEX i ON t ((wipe(id)))

CREATE INDEX CONCURRENTLY i ON t (id) WHERE wipe(id)

CREATE SCHEMA s CREATE TABLE t (a int) CREATE INDEX i ON t (wipe(a))

CREATE TABLE p PARTITION OF t FOR VALUES FROM (wipe()) TO (5)

CREATE TABLE p PARTITION OF t FOR VALUES IN (1, wipe())

ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (wipe())

ALTER DOMAIN d ADD CHECK (wipe(VALUE))

ALTER DOMAIN d ADD CONSTRAINT c CHECK (wipe(VALUE)) NOT VALID

ALTER TABLE t ADD CHECK (wipe(a))

ALTER TABLE t ADD CONSTRAINT c EXCLUDE USING gist (wipe(a) WITH =)

ALTER TABLE t ADD a int GENERATED ALWAYS AS (wipe(b)) STORED

DO $$ BEGIN CREATE INDEX i ON t (wipe(a)); END $$
