CREATE TABLE ${tbl} (id int PRIMARY KEY, name text);
-- café
