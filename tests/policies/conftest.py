import numpy as np
import pytest
import torch

# Tests run side by side; several threads each would only wait for one another.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def answers_of(golden_module):
    """Give what `tests/golden/make_<name>.py` holds, and the answers that it stored."""

    def give(name):
        make = vars(golden_module(f"make_{name}"))
        with np.load(make["GOLDEN"]) as stored:
            return make, dict(stored)

    return give
