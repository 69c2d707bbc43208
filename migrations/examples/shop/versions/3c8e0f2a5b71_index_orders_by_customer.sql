-- Index orders by customer, without blocking writes
--
-- Revision: 3c8e0f2a5b71
-- Revises: 2b7d9e1f4a60
-- Created: 2026-01-12T08:15:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
-- athanor:step autocommit
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);

-- athanor:downgrade
-- athanor:step autocommit
DROP INDEX CONCURRENTLY orders_customer_idx;
