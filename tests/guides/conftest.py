"""The fixtures of this folder."""
from collections.abc import Iterator

import pytest
from guide import Database


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.drop()
