-- Create accounts
--
-- Revision: a00000000001
-- Revises:
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
CREATE TABLE accounts (id bigint PRIMARY KEY, name text);

-- athanor:downgrade
DROP TABLE accounts;
