-- Join billing and shipping
--
-- Revision: 7ac24d6e9fb5
-- Revises: 5ea02b4c7d93, 6fb13c5d8ea4
-- Created: 2026-03-01T11:20:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
CREATE VIEW order_progress AS
SELECT o.id, o.placed_at, i.number AS invoice, p.sent_at
FROM orders o LEFT JOIN invoices i ON i.order_id = o.id LEFT JOIN parcels p ON p.order_id = o.id;

-- athanor:downgrade
DROP VIEW order_progress;
