"""Accounts and teams

Revision ID: 3a1b5c7d9e0f
Revises: None
Create Date: 2026-01-10 09:15:00.123456

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "3a1b5c7d9e0f"
down_revision: Union[str, Sequence[str], None] = None
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="team_name_key"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False, comment="as typed; don't lower-case"),
        sa.Column("role", sa.Enum("member", "admin", name="role"), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="account_team_id_fkey", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        comment="people; 100% of them",
    )
    op.create_index(op.f("ix_account_email"), "account", ["email"])


def downgrade() -> None:
    op.drop_index(op.f("ix_account_email"), table_name="account")
    op.drop_table("account")
    op.drop_table("team")
    op.execute("DROP TYPE role")
