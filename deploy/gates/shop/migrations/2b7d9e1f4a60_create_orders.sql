-- Create orders
--
-- Revision: 2b7d9e1f4a60
-- Revises: 1f0a3c5e7b91
-- Created: 2026-11-21T02:20:00+00:00

-- athanor:upgrade
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers (id)
);

-- athanor:downgrade
DROP TABLE orders;
