-- Add a discount for gold customers
--
-- Revision: 8bd35e7fa0c6
-- Revises: 7ac24d6e9fb5
-- Created: 2026-03-15T09:30:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE orders ADD COLUMN discount numeric(5, 2) NOT NULL DEFAULT 0;

UPDATE orders SET discount = 5 FROM customers c WHERE c.id = orders.customer_id AND c.tier = 'gold';

-- athanor:downgrade
ALTER TABLE orders DROP COLUMN discount;
