"""The ResNet's shortcuts against the formula."""

from __future__ import annotations

import pytest
import torch

from etude.nn.resnet import FrozenBatchNorm, ResNet


def randomized():
    torch.manual_seed(0)
    network = ResNet("resnet18")
    for name, value in network.state_dict().items():
        if "bn" in name or "downsample.1" in name:
            value.uniform_(0.5, 1.5)
    return network.eval()


def the_long_way(network, x):
    """Convolve, normalise, and nothing in place."""

    def both(x, conv, norm):
        y = torch.nn.functional.conv2d(x, conv.weight, None, conv.stride, conv.padding)
        scale = norm.weight / (norm.running_var + 1e-5).sqrt()
        return (y - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]

    x = torch.nn.functional.max_pool2d(both(x, network.conv1, network.bn1).relu(), 3, 2, 1)
    for place in range(1, 5):
        for block in network.get_submodule(f"layer{place}"):
            around = x if block.downsample is None else both(x, *block.downsample)
            x = (both(both(x, block.conv1, block.bn1).relu(), block.conv2, block.bn2) + around).relu()
    return x


@pytest.mark.parametrize("size", [(64, 96), (256, 272)])
def test_frozen_numbers_may_be_multiplied_into_weights(size):
    network, picture = randomized(), torch.rand(1, 3, *size)
    with torch.no_grad():
        wanted, found = the_long_way(network, picture), network(picture)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * wanted.abs().max().item())


def test_gradients_are_those_of_the_long_way():
    network, picture = randomized(), torch.rand(2, 3, 64, 64)
    network(picture).mean().backward()
    found = {name: value.grad.clone() for name, value in network.named_parameters()}
    network.zero_grad()
    the_long_way(network, picture).mean().backward()
    for name, value in network.named_parameters():
        torch.testing.assert_close(found[name], value.grad, rtol=1e-3, atol=1e-4 * value.grad.abs().max().item())


def test_frozen_normalisation_has_nothing_to_learn():
    assert list(FrozenBatchNorm(4).parameters()) == []
