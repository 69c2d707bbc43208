-- Create payments
--
-- Revision: a00000000001
-- Revises:

-- athanor:upgrade
CREATE TABLE payments (id bigint);

-- athanor:downgrade
DROP TABLE payments;
