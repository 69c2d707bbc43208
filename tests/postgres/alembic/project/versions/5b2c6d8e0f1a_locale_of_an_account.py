"""Locale of an account

Revision ID: 5b2c6d8e0f1a
Revises: 3a1b5c7d9e0f
Create Date: 2026-01-20 11:00:00+01:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "5b2c6d8e0f1a"
down_revision: Union[str, Sequence[str], None] = "3a1b5c7d9e0f"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.add_column("account", sa.Column("locale", sa.String(8), server_default="en", nullable=False))
    op.add_column("account", sa.Column("joined", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=True))
    op.alter_column("account", "joined", server_default=None)


def downgrade() -> None:
    op.drop_column("account", "joined")
    op.drop_column("account", "locale")
