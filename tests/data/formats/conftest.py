import pytest


@pytest.fixture(scope="session")
def facts3(golden_module):
    """What the tiny datasets of other projects hold, as formulas."""
    return golden_module("foreign_facts")
