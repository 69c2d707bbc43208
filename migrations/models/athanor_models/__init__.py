"""The schema that SQLAlchemy or SQLModel models describe, as SQL for PostgreSQL. `python -m athanor_models shop.models:metadata`."""

__version__ = "0.1.0"
