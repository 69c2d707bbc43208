-- Add owner
--
-- Revision: b00000000002
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
-- athanor:stepp autocommit
CREATE INDEX CONCURRENTLY accounts_name_idx ON accounts (name);

-- athanor:downgrade
DROP INDEX accounts_name_idx;
