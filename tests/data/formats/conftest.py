import importlib
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="session")
def golden_module():
    """Import a module beside the golden datasets, such as `foreign_facts`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(GOLDEN)
        yield importlib.import_module


@pytest.fixture(scope="session")
def facts3(golden_module):
    """What the tiny datasets of other projects hold, as formulas."""
    return golden_module("foreign_facts")
