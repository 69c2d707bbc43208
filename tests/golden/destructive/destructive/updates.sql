UPDATE t SET a = 1

UPDATE t AS x SET a = 1

UPDATE t SET a = 1 WHERE true

UPDATE t SET a = 1 WHERE 1 = 1

UPDATE t SET a = 1 WHERE NOT false

UPDATE t SET a = 1 WHERE id = id

UPDATE t SET a = 1 WHERE t.id = t.id

UPDATE t SET a = 1 WHERE id = 3 OR true

UPDATE t SET a = 1 WHERE random() < 2

UPDATE t SET a = 1 WHERE EXISTS (SELECT 1)

UPDATE t SET a = 1 WHERE EXISTS (SELECT 1 FROM u WHERE u.x = 2)

UPDATE t SET a = 1 FROM u WHERE u.x = 2

UPDATE t SET a = 1 WHERE {batch}

UPDATE t SET a = 1 WHERE CURRENT_DATE > '2020-01-01'

WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x WHERE a = 1

PREPARE q AS UPDATE t SET a = $1 WHERE $2

UPDATE t SET a = 1 WHERE t.id = id

UPDATE t SET a = 1 WHERE id = (t).id

UPDATE t SET a = 1 WHERE id BETWEEN id AND id

UPDATE t SET a = 1 WHERE id IN (id)

UPDATE t SET a = 1 WHERE id IN (1, id)

UPDATE t SET a = 1 WHERE 3 IN (3, id)

UPDATE t SET a = 1 WHERE id IS NULL OR id IS NOT NULL

UPDATE t SET a = 1 WHERE id IS NULL OR NOT (id IS NULL)

UPDATE t SET a = 1 WHERE (id IS NULL) IS NOT NULL

UPDATE t SET a = 1 WHERE true IN (true, id = 1)

UPDATE t SET a = 1 WHERE coalesce(id = id, true)

UPDATE t SET a = 1 WHERE coalesce(id, 1) IS NOT NULL

UPDATE t SET a = 1 WHERE id NOT IN (SELECT NULL WHERE false)

UPDATE t SET a = 1 WHERE id = 1 OR id <> 1

UPDATE t SET a = 1 WHERE a = 2 OR id = 1 OR NOT id = 1

UPDATE t SET a = 1 WHERE active OR NOT active

UPDATE t SET a = 1 WHERE active OR (b = 2 OR NOT active)

UPDATE t SET a = 1 WHERE NOT (id = 1 AND id <> 1)

UPDATE t SET a = 1 WHERE NOT (id = 1 AND false)

UPDATE t SET a = 1 WHERE t = t

UPDATE t SET a = 1 WHERE t.* IS NOT DISTINCT FROM t

UPDATE t SET a = 1 WHERE (id, a) = (id, a)

UPDATE t SET a = 1 WHERE id - id = 0

UPDATE t SET a = 1 WHERE (a = a) = true

UPDATE t SET a = 1 WHERE (a = 1) IS NOT NULL

UPDATE t SET a = 1 WHERE CASE WHEN a = 1 THEN true ELSE true END

UPDATE t SET a = 1 WHERE EXISTS (SELECT t.id)

UPDATE t SET a = 1 WHERE EXISTS (SELECT 1 FROM u WHERE t.id = t.id)

UPDATE t SET a = 1 WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id OR true)

UPDATE t SET a = 1 WHERE NOT NOT true

UPDATE t SET a = 1 WHERE id = (SELECT t.id)

UPDATE t SET a = 1 WHERE id = ANY (ARRAY[id])

UPDATE t SET a = 1 WHERE id::text = id::text

UPDATE t SET a = 1 WHERE (id IS NOT NULL)::boolean

UPDATE t SET a = 1 WHERE true OR id = 1

UPDATE t SET a = 1 WHERE (id = 1) IS NOT DISTINCT FROM (id = 1)

UPDATE t SET a = 1 WHERE id IN (SELECT id)

UPDATE t SET a = 1 WHERE a = 1 AND true OR 1 = 1

MERGE INTO a USING b ON a.id = id WHEN MATCHED THEN UPDATE SET x = 1
