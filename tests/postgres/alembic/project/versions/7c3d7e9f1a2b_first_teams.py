"""First teams and the people in them

Revision ID: 7c3d7e9f1a2b
Revises: 5b2c6d8e0f1a
Create Date: 2026-02-01 08:00:00

"""
from typing import Sequence, Union

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "7c3d7e9f1a2b"
down_revision: Union[str, Sequence[str], None] = "5b2c6d8e0f1a"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None

team = sa.table("team", sa.column("id", sa.Integer), sa.column("name", sa.String))


def upgrade() -> None:
    op.bulk_insert(
        team,
        [
            {"id": 1, "name": "O'Reilly & \"Sons\""},
            {"id": 2, "name": "50% off; -- not a comment"},
            {"id": 3, "name": "two\nlines"},
        ],
    )
    # Several statements in one call, no semicolon after the last.
    op.execute(
        """
        INSERT INTO account (id, email, role, team_id) VALUES (1, 'ann@example.org', 'admin', 1);
        INSERT INTO account (id, email, role, team_id) VALUES (2, 'bob%20b@example.org', 'member', 2)
        """
    )
    op.execute("UPDATE account SET locale = 'de' WHERE email LIKE '%\\%20%'")
    op.execute(team.update().where(team.c.id == 2).values(name=sa.func.upper(team.c.name)))


def downgrade() -> None:
    op.execute("DELETE FROM account WHERE id IN (1, 2);")
    op.execute(team.delete().where(team.c.id.in_([1, 2, 3])))
