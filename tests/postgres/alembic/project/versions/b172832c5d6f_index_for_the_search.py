"""Index for the search

Revision ID: b172832c5d6f
Revises: a0617b2c4d5e
Create Date: 2026-02-13 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "b172832c5d6f"
down_revision: Union[str, Sequence[str], None] = "a0617b2c4d5e"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.execute("COMMENT ON FUNCTION fold(text) IS 'used by an index'")
    with op.get_context().autocommit_block():
        op.create_index("account_folded_idx", "account", [sa.text("fold(email)")], postgresql_concurrently=True)
        op.execute("ALTER TYPE role ADD VALUE IF NOT EXISTS 'guest'")
    op.execute("INSERT INTO account (id, email, role) VALUES (3, 'Guest @example.org', 'guest')")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("account_folded_idx", table_name="account", postgresql_concurrently=True)
    # A label cannot leave its enum: the type is made anew.
    op.execute("DELETE FROM account WHERE id = 3")
    op.execute("COMMENT ON FUNCTION fold(text) IS NULL")
    op.execute("ALTER TYPE role RENAME TO role_old")
    op.execute("CREATE TYPE role AS ENUM ('member', 'admin')")
    op.alter_column(
        "account",
        "role",
        type_=sa.Enum("member", "admin", name="role", create_type=False),
        postgresql_using="role::text::role",
    )
    op.execute("DROP TYPE role_old")
