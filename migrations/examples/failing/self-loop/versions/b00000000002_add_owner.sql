-- Add owner
--
-- Revision: b00000000002
-- Revises: b00000000002
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
SELECT 1;

-- athanor:downgrade
SELECT 1;
