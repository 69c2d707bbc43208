-- Add limit
--
-- Revision: c00000000003
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE accounts ADD COLUMN ceiling integer;

-- athanor:downgrade
ALTER TABLE accounts DROP COLUMN ceiling;
