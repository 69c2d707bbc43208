"""The application's tables, as they are after the last revision."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Optional

from sqlalchemy import Column, DateTime, Numeric, func
from sqlmodel import Field, SQLModel


class Role(str, enum.Enum):
    member = "member"
    admin = "admin"
    guest = "guest"


class Team(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)


class Account(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    email: str = Field(index=True)
    role: Role = Role.member
    team_id: Optional[int] = Field(default=None, foreign_key="team.id")
    locale: str = Field(default="en", sa_column_kwargs={"server_default": "en"})
    note: Optional[str] = None


class Invoice(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    amount: Decimal = Field(sa_column=Column(Numeric(12, 2), nullable=False))
    issued: datetime = Field(sa_column=Column(DateTime(timezone=True), server_default=func.now()))


class AuditEntry(SQLModel, table=True):
    __tablename__ = "audit_entry"
    id: Optional[int] = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    what: str
