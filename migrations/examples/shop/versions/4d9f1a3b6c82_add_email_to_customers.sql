-- Add email to customers and fill it
--
-- Revision: 4d9f1a3b6c82
-- Revises: 3c8e0f2a5b71
-- Created: 2026-02-02T14:00:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE customers ADD COLUMN email text;

-- athanor:step batch table=customers key=id size=1000 pause=5ms
UPDATE customers SET email = lower(login) || '@example.org' WHERE email IS NULL AND {batch};

-- athanor:step transaction
ALTER TABLE customers ADD CONSTRAINT customers_email_present CHECK (email IS NOT NULL) NOT VALID;

-- athanor:step transaction
ALTER TABLE customers VALIDATE CONSTRAINT customers_email_present;

-- athanor:downgrade
ALTER TABLE customers DROP COLUMN email;
