-- Add owner
--
-- Revision: b00000000002
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
INSERT INTO accounts VALUES (1, 'Ada);
