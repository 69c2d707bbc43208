-- Create payments
--
-- Revision: c00000000003
-- Revises: b00000000002
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
CREATE TABLE payments (id bigint);

-- athanor:downgrade
DROP TABLE payments;
