"""Notes on accounts

Revision ID: d3940a4e7f8b
Revises: c283943d6e7a
Create Date: 2026-03-01 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "d3940a4e7f8b"
down_revision: Union[str, Sequence[str], None] = "c283943d6e7a"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.add_column("account", sa.Column("note", sa.Text(), nullable=True))
    op.execute("UPDATE account SET note = $$it's 100% \"fine\"; $$ || email")
    statement = sa.text("UPDATE account SET note = note || :more WHERE id = :id")
    op.get_bind().execute(statement, {"more": " (3%)", "id": 3})


def downgrade() -> None:
    op.drop_column("account", "note")
