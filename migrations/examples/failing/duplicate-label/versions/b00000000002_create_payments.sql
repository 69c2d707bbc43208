-- Create payments
--
-- Revision: b00000000002
-- Revises:
-- Created: 2026-01-05T09:00:00+00:00
-- Labels: billing
-- Depends-On:

-- athanor:upgrade
CREATE TABLE payments (id bigint);

-- athanor:downgrade
DROP TABLE payments;
