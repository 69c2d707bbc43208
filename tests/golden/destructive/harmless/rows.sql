SELECT 1

SELECT 'DELETE FROM t', "delete", $$TRUNCATE t$$ FROM "drop"

VALUES (1), (2)

SELECT setval('s', max(id)) FROM t

SELECT trim(both ' ' from a), substring(a from 1 for 2), position('x' in a), extract(year from b), overlay(a placing 'b' from 1) FROM t

SELECT b AT TIME ZONE 'UTC', a LIKE 'x' ESCAPE '!', coalesce(a, ''), greatest(1, 2), cast(a AS int) FROM t

INSERT INTO t (a, b) VALUES (1, 'DROP TABLE t'), (2, upper('x'))

INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2

INSERT INTO t SELECT a, row_number() OVER (ORDER BY b), gen_random_uuid() FROM u WHERE {batch}

UPDATE t SET a = 1 WHERE b = 2

UPDATE t SET a = lower(b) WHERE a IS NULL AND {batch}

UPDATE t SET a = u.b FROM u WHERE u.id = t.id

UPDATE s.t AS x SET a = 1 WHERE EXISTS (SELECT 1 FROM u WHERE u.id = x.id)

UPDATE t SET a = 1 WHERE id IN (SELECT t_id FROM u)

UPDATE t SET a = 1 WHERE CURRENT OF c

UPDATE t SET a = 1 WHERE active

UPDATE t SET a = 1 WHERE id = 3 OR b = 4

WITH x AS (SELECT id FROM t FOR UPDATE SKIP LOCKED) UPDATE t SET a = 1 FROM x WHERE t.id = x.id

MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)

CREATE TABLE copy AS SELECT * FROM t

COPY t FROM '/srv/data.csv'

EXPLAIN ANALYZE SELECT 1

PREPARE q AS SELECT 1

DEALLOCATE q

DECLARE c CURSOR FOR SELECT 1

NOTIFY deleted, 'truncate'
