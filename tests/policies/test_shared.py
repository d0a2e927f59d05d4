import numpy as np
import pytest
import torch

from etude.core.spec import Spec
from etude.policies import policies
from etude.policies.shared import answer, asking

torch.set_num_threads(1)
OBSERVATION = {"observation.state": Spec(shape=(3,)), "observation.environment_state": Spec(shape=(4,))}
ACTION = Spec(shape=(2,))


class Notes(torch.nn.Module):
    """Gives what it was asked, and notes how much that was."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def act(self, batch):
        self.sizes.append(len(batch["x"]))
        return batch["x"] * 2


def test_questions_keep_their_places_in_a_batch_of_one_size():
    notes = Notes()
    questions = [{"x": torch.full((1, 4), 1.0)}, None, {"x": torch.full((1, 4), 3.0)}]
    first, second, third = answer(notes, questions, 5)
    assert second is None
    assert first.tolist() == [[2.0] * 4]
    assert third.tolist() == [[6.0] * 4]
    assert notes.sizes == [5]


@pytest.mark.parametrize("kind", ["act", "diffusion"])
def test_who_asks_gets_what_the_policy_would_give(kind, untrained):
    loaded = untrained(policies.config(kind).tiny(), OBSERVATION, ACTION)
    rng = np.random.default_rng(0)
    frame = {key: spec.example(rng) for key, spec in loaded.observation.items()} | loaded.example_noise(rng)
    asked = asking(loaded, lambda question: answer(loaded.policy, [None, question], 3)[1])
    np.testing.assert_allclose(asked.act(frame), loaded.act(frame), rtol=1e-4, atol=1e-5)
