"""Gross amounts

Revision ID: 9e5f9a1b3c4d
Revises: 8d4e8f0a2b3c
Create Date: 2026-02-12 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "9e5f9a1b3c4d"
down_revision: Union[str, Sequence[str], None] = "8d4e8f0a2b3c"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.add_column("invoice", sa.Column("gross", sa.Numeric(12, 2), sa.Computed("round(amount * 1.19, 2)", persisted=True)))
    op.execute("INSERT INTO invoice (account_id, amount, issued) VALUES (1, 100, '2026-02-12 12:00:00+00')")


def downgrade() -> None:
    op.execute("DELETE FROM invoice")
    op.drop_column("invoice", "gross")
