"""The causal transformer: what it must not see, and its parameters."""

from __future__ import annotations

import torch

from etude.nn.gpt import Gpt


def make(**change):
    torch.manual_seed(0)
    sizes = {"dim": 8, "num_layers": 2, "num_heads": 2, "block_size": 6, "dropout": 0.0}
    return Gpt(3, 5, **(sizes | change))


def test_a_token_reads_itself_and_those_before_it_only():
    gpt, tokens = make(), torch.randn(2, 6, 3)
    before, changed = gpt(tokens), tokens.clone()
    changed[:, 3] += 1
    after = gpt(changed)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert (after[:, 3:] != before[:, 3:]).any(-1).all()


def test_the_same_token_means_something_else_elsewhere():
    made = make()(torch.ones(1, 2, 3))
    assert not torch.allclose(made[:, 0], made[:, 1])


def test_dropout_is_for_training():
    gpt, tokens = make(dropout=0.5), torch.randn(1, 4, 3)
    assert not torch.equal(gpt(tokens), gpt(tokens))
    gpt.eval()
    assert torch.equal(gpt(tokens), gpt(tokens))


def test_weight_decay_is_for_the_matrices_of_linear_layers():
    gpt = make()
    decayed, others = gpt.decayed()
    names = {id(value): name for name, value in gpt.named_parameters()}
    assert len(decayed) + len(others) == len(names)
    assert all(names[id(value)].endswith("weight") and value.ndim == 2 for value in decayed)
    assert any(names[id(value)].endswith("wpe.weight") for value in others)
