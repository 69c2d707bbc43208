"""Audit entries

Revision ID: e4a51b5f809c
Revises: None
Create Date: 2026-03-02 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "e4a51b5f809c"
down_revision: Union[str, Sequence[str], None] = None
branch_labels: Union[str, Sequence[str], None] = ("audit",)
depends_on: Union[str, Sequence[str], None] = "7c3d7e9f1a2b"


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id", name="audit_entry_account_id_fkey"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
    )
    op.execute("INSERT INTO audit_entry (account_id, what) SELECT id, 'joined' FROM account WHERE id = 1")


def downgrade() -> None:
    op.drop_table("audit_entry")
