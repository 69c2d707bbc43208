"""Merge billing and search

Revision ID: c283943d6e7a
Revises: 9e5f9a1b3c4d, b172832c5d6f
Create Date: 2026-02-20 10:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "c283943d6e7a"
down_revision: Union[str, Sequence[str], None] = ("9e5f9a1b3c4d", "b172832c5d6f")
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
