-- Add owner
--
-- Revision: b00000000002
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On: deadbeef0000

-- athanor:upgrade
ALTER TABLE accounts ADD COLUMN owner text;

-- athanor:downgrade
ALTER TABLE accounts DROP COLUMN owner;
