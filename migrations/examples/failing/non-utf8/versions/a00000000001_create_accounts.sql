-- Create accounts
--
-- Revision: a00000000001
-- Revises:

-- athanor:upgrade
INSERT INTO names VALUES ('René');

-- athanor:downgrade
SELECT 1;
