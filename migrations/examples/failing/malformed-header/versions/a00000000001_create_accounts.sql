-- Create accounts
--
-- Revision: a00000000001
-- Revises:
-- Down-Revision: base

-- athanor:upgrade
CREATE TABLE accounts (id bigint PRIMARY KEY, name text);

-- athanor:downgrade
DROP TABLE accounts;
