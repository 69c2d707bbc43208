-- Add a column with a name PostgreSQL would cut off
--
-- Revision: b00000000002
-- Revises: a00000000001
-- Created: 2026-01-05T09:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE accounts ADD COLUMN the_name_of_the_person_who_owns_this_account_and_signs_for_it_daily text;

-- athanor:downgrade
SELECT 1;
