"""Shortcuts of the transformer layers against the long way."""

from __future__ import annotations

import pytest
import torch

from etude.nn.attention import Attention, DecoderLayer, EncoderLayer

SIZES = {"dim": 16, "num_heads": 4, "hidden": 24, "activation": "gelu"}


def randomized(module):
    torch.manual_seed(0)
    for value in module.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return module


@pytest.mark.parametrize("training", [True, False])
def test_attention_is_torchs(training):
    torch.manual_seed(1)
    ours, theirs = randomized(Attention(16, 4)), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, memory = torch.randn(3, 5, 16), torch.randn(3, 7, 16)
    is_pad = torch.arange(7) >= torch.tensor([7, 4, 2])[:, None]
    found = ours.train(training)(query, memory, memory, is_pad)
    wanted = theirs(query, memory, memory, key_padding_mask=is_pad, need_weights=False)[0]
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_the_first_token_alone_is_what_it_is_among_all(pre_norm):
    layer = randomized(EncoderLayer(**SIZES, dropout=0.0, pre_norm=pre_norm))
    x, position = torch.randn(3, 6, 16), torch.randn(6, 16)
    is_pad = torch.arange(6) >= torch.tensor([6, 4, 2])[:, None]
    torch.testing.assert_close(layer(x, position, is_pad, first=1), layer(x, position, is_pad)[:, :1])


@pytest.mark.parametrize("pre_norm", [True, False])
def test_queries_of_zeros_need_no_product_of_their_own(pre_norm):
    layer = randomized(DecoderLayer(**SIZES, dropout=0.0, pre_norm=pre_norm))
    memory, position, at = torch.randn(3, 6, 16), torch.randn(5, 16), torch.randn(6, 16)
    torch.testing.assert_close(layer(None, memory, position, at), layer(torch.zeros(3, 5, 16), memory, position, at))


def test_what_equals_tell_one_another_is_dropped_by_the_same_law():
    attention = randomized(Attention(16, 4, dropout=0.3)).train()
    tokens, value = torch.randn(5, 16), torch.randn(16)
    torch.manual_seed(0)
    short = attention.among_equals(tokens, value, 4000)
    long = attention(tokens.expand(4000, -1, -1), tokens.expand(4000, -1, -1), value.expand(4000, 5, -1))
    spread = long.std(0)
    assert ((short.mean(0) - long.mean(0)).abs() < 6 * spread * (2 / 4000) ** 0.5).all()
    torch.testing.assert_close(short.std(0), spread, atol=0, rtol=0.1)
