"""Invoices

Revision ID: 8d4e8f0a2b3c
Revises: 7c3d7e9f1a2b
Create Date: 2026-02-10 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "8d4e8f0a2b3c"
down_revision: Union[str, Sequence[str], None] = "7c3d7e9f1a2b"
branch_labels: Union[str, Sequence[str], None] = ("billing",)
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id", name="invoice_account_id_fkey"), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("issued", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount >= 0", name="invoice_amount_check"),
    )


def downgrade() -> None:
    op.drop_table("invoice")
