"""Search accounts by a folded address

Revision ID: a0617b2c4d5e
Revises: 7c3d7e9f1a2b
Create Date: 2026-02-11 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "a0617b2c4d5e"
down_revision: Union[str, Sequence[str], None] = "7c3d7e9f1a2b"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None

FOLD = r"""
CREATE FUNCTION fold(address text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $fold$
DECLARE
	result text := lower(address);  -- tabs are kept; so is the semicolon;
BEGIN
	RETURN regexp_replace(result, '\s+|%', '', 'g');
END
$fold$
"""


def upgrade() -> None:
    op.execute(FOLD)
    op.execute(r"INSERT INTO team (id, name) VALUES (4, 'C:\new	folder')  -- a comment at the very end")


def downgrade() -> None:
    op.execute("DELETE FROM team WHERE id = 4")
    op.execute("DROP FUNCTION fold(text)")
