-- Add owner
--
-- Revision: b00000000002
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE accounts ADD COLUMN owner text;
DISCARD ALL;

-- athanor:downgrade
ALTER TABLE accounts DROP COLUMN owner;
