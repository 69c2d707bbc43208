-- Create accounts
--
-- Revision: accounts@v1+2
-- Revises:

-- athanor:upgrade
CREATE TABLE accounts (id bigint PRIMARY KEY, name text);

-- athanor:downgrade
DROP TABLE accounts;
