-- prices
--
-- Revision: c00000000001
-- Revises:
-- Created: 2026-11-21T02:10:00+00:00

-- athanor:upgrade
CREATE TABLE prices (id bigint);
