"""Codes by hand: the nearest vector, what a codebook learns, what is left for the next, and how codes are drawn."""

from __future__ import annotations

import pytest
import torch

from etude.nn.heads.codes import ChunkCodes, Codebook, ResidualCodes, drawn, num_used


def book(vectors, **values):
    made = Codebook(len(vectors), len(vectors[0]), **values)
    made.embed.copy_(torch.tensor([vectors]))
    return made


def test_the_nearest_vector_stands_for_a_row():
    made = book([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    rows = torch.tensor([[1.0, 1.0], [2.1, 0.0], [1.0, 2.0], [100.0, 0.0]])
    assert made.nearest(rows).tolist() == [0, 1, 2, 1]


def test_a_codebook_follows_the_mean_of_its_rows():
    made = book([[1.0], [5.0]])
    made.cluster_size.copy_(torch.tensor([[2.0, 4.0]]))
    made.embed_avg.copy_(torch.tensor([[[2.0], [20.0]]]))
    made.follow(torch.tensor([[2.0], [3.0], [10.0]]), torch.tensor([0, 0, 1]))
    # sizes 0.8 * 2 + 0.2 * 2 and 0.8 * 4 + 0.2 * 1; sums 0.8 * 2 + 0.2 * 5 and 0.8 * 20 + 0.2 * 10
    assert made.cluster_size[0].tolist() == pytest.approx([2.0, 3.4])
    assert made.embed_avg[0, :, 0].tolist() == pytest.approx([2.6, 18.0])
    assert made.embed[0, :, 0].tolist() == pytest.approx([2.6 / 2.0, 18 / 3.4], rel=1e-4)


def test_a_vector_that_stands_for_nothing_leaves_or_starts_anew():
    rows, code = torch.tensor([[1.0], [1.5]]), torch.tensor([0, 0])
    left, anew = book([[1.0], [-7.0]]), book([[1.0], [-7.0]], least_rows=0.3)
    left.follow(rows, code)
    anew.follow(rows, code)
    assert abs(left.embed[0, 1, 0]) > 1e4
    assert anew.embed[0, 1, 0].item() in (1.0, 1.5)
    assert anew.cluster_size[0].tolist() == pytest.approx([0.4, 0.3])


def test_the_second_layer_stands_for_what_the_first_leaves():
    codes = ResidualCodes(2, 2, 1)
    for layer, vectors in zip(codes.layers, ([[0.0], [10.0]], [[1.0], [-2.0]]), strict=True):
        layer.embed.copy_(torch.tensor([vectors]))
    rows = torch.tensor([[8.5], [0.6]], requires_grad=True)
    total, chosen, distance = codes(rows)
    assert chosen.tolist() == [[1, 1], [0, 0]]
    assert total.flatten().tolist() == [8.0, 1.0]
    assert codes.vectors(chosen).flatten().tolist() == [8.0, 1.0]
    # left are -1.5 and 0.6, then 0.5 and -0.4
    assert distance.item() == pytest.approx((1.5**2 + 0.6**2) / 2 + (0.5**2 + 0.4**2) / 2)
    total.sum().backward()
    assert rows.grad.flatten().tolist() == [2.0, 2.0]  # straight through each of the layers, as in LeRobot


def test_codes_are_learned_in_training_only_and_fixed_after_their_updates():
    torch.manual_seed(0)
    codes, chunks = ChunkCodes((3, 2), num_codes=4, dim=8, hidden=16), torch.randn(20, 3, 2)
    before = codes.vq_layer.vectors(torch.tensor([[0, 0]]))
    codes.eval().loss(chunks)
    assert torch.equal(codes.vq_layer.vectors(torch.tensor([[0, 0]])), before)
    codes.train().loss(chunks)
    assert not torch.equal(codes.vq_layer.vectors(torch.tensor([[0, 0]])), before)
    codes.count(2)
    assert not codes.discretized
    codes.count(2)
    assert codes.discretized
    assert codes.vq_layer.freeze_codebook


def test_a_chunk_of_two_kinds_is_told_by_codes():
    torch.manual_seed(0)
    codes = ChunkCodes((3, 2), num_codes=4, dim=8, hidden=32, least_rows=1.0)
    kinds = torch.stack([torch.full((3, 2), -0.8), torch.linspace(0, 1, 6).reshape(3, 2)])
    chunks = kinds[torch.arange(32) % 2]
    optimizer = torch.optim.Adam(codes.parameters(), lr=3e-3)
    for _ in range(150):
        loss, error, _ = codes.loss(chunks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert error < 0.05
    assert (codes.decode(codes.encode(kinds)) - kinds).abs().max() < 0.15


def test_a_draw_is_multinomials():
    probabilities = torch.rand(50, 2, 7).softmax(-1)
    torch.manual_seed(3)
    ours = drawn(probabilities)
    torch.manual_seed(3)
    theirs = torch.multinomial(probabilities.flatten(0, 1), 1).reshape(50, 2)
    assert torch.equal(ours, theirs)


def test_a_code_at_a_quantile():
    row = torch.tensor([0.25, 0.5, 0.25])
    rows, quantiles = row.expand(6, -1), torch.tensor([0.0, 0.2, 0.3, 0.7, 0.8, 1.0])
    assert drawn(rows, quantiles).tolist() == [0, 0, 1, 1, 2, 2]


def test_quantiles_of_normal_noise_draw_by_the_probabilities():
    row = torch.tensor([0.1, 0.6, 0.3])
    noise = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    shares = drawn(row.expand(20_000, -1), torch.special.ndtr(noise)).bincount() / 20_000
    torch.testing.assert_close(shares, row, atol=0.02, rtol=0)


def test_codes_that_occur_are_counted_in_each_layer():
    assert num_used(torch.tensor([[0, 1], [0, 2], [3, 2]]), 4).item() == 4


def test_codes_are_as_exact_under_autocast():
    codes, chunks = ChunkCodes((3, 2), num_codes=4, dim=8, hidden=16).eval(), torch.randn(5, 3, 2)
    exact = codes.decode(codes.encode(chunks))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(codes.decode(codes.encode(chunks)), exact)
