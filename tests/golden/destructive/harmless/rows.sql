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

UPDATE t SET a = 1 WHERE id BETWEEN 1 AND 5

UPDATE t SET a = 1 WHERE 5 BETWEEN a AND b

UPDATE t SET a = 1 WHERE id IN (1, 2, 3)

UPDATE t SET a = 1 WHERE id NOT IN (1, 2)

UPDATE t SET a = 1 WHERE a <> b

UPDATE t SET a = 1 WHERE total IS DISTINCT FROM price * quantity

UPDATE t SET a = 1 WHERE NOT (id = 3)

UPDATE t SET a = 1 WHERE NOT (a = 1 OR b = 2)

UPDATE t SET a = 1 WHERE NOT (a = 1 AND b = 2)

UPDATE t SET a = 1 WHERE NOT active

UPDATE t SET a = 1 WHERE active IS NOT TRUE

UPDATE t SET a = 1 WHERE a IS NULL OR b IS NULL

UPDATE t SET a = 1 WHERE a IS NULL OR a = ''

UPDATE t SET a = 1 WHERE (a IS NULL AND b = 1) OR (a IS NOT NULL AND b = 2)

UPDATE t SET a = 1 WHERE id = 1 OR id = 2

UPDATE t SET a = 1 WHERE email LIKE '%@example.org'

UPDATE t SET a = 1 WHERE lower(email) = 'x'

UPDATE t SET a = 1 WHERE coalesce(a, '') = ''

UPDATE t SET a = 1 WHERE data ->> 'kind' = 'x'

UPDATE t SET a = 1 WHERE data -> 'kind' IS NOT NULL

UPDATE t SET a = 1 WHERE data @> '{}'

UPDATE t SET a = 1 WHERE id = ANY (ARRAY[1, 2])

UPDATE t SET a = 1 WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id AND u.b > 3)

UPDATE t SET a = 1 WHERE t.id NOT IN (SELECT u.t_id FROM u)

UPDATE t SET a = 1 WHERE id IN (VALUES (1), (2))

UPDATE t SET a = 1 WHERE a < (SELECT max(b) FROM u)

UPDATE t SET a = 1 WHERE (SELECT count(*) FROM u WHERE u.id = t.id) > 3

UPDATE t SET a = 1 WHERE (a, b) = (1, 2)

UPDATE t SET a = 1 WHERE (t).id = 3

UPDATE t SET a = 1 WHERE created < now() - interval '1 day'

UPDATE t SET a = 1 WHERE a + 1 > 3

UPDATE t SET a = 1 WHERE id > 3 AND {batch}

UPDATE t SET a = 1 WHERE NOT (NOT (id = 1))

PREPARE q AS UPDATE t SET a = 1 WHERE id = $1

PREPARE q AS UPDATE t SET a = 1 WHERE id = ANY ($1)

UPDATE t SET a = 1 FROM u WHERE id = u.id AND u.id = t.id
