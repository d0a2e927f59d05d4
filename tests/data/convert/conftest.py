import importlib
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Make a tiny dataset in the layout of another project, such as `aloha`."""

    def make(kind, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(GOLDEN)
            return importlib.import_module(f"make_{kind}").main(tmp_path_factory.mktemp(kind), **options)

    return make
