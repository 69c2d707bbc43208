-- Create customers
--
-- Revision: 1f0a3c5e7b91
-- Revises:
-- Created: 2026-11-21T02:10:00+00:00

-- athanor:upgrade
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);

-- athanor:downgrade
DROP TABLE customers;
