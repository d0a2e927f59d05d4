"""The transformer that takes noise away, against the reference's own answers and by what it may read."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from etude.nn.diffusion_transformer import NOT_LEARNED, DiffusionTransformer, Sizes

GOLDEN = Path(__file__).parents[1] / "golden"
MAKE = runpy.run_path(str(GOLDEN / "make_diffusion_transformer.py"))


def made(*, is_causal=True):
    torch.manual_seed(0)
    sizes = Sizes(dim=16, num_layers=2, num_heads=2, is_causal=is_causal)
    return DiffusionTransformer(
        MAKE["CHANNELS"], MAKE["CONDITION"], horizon=MAKE["HORIZON"], num_tokens=MAKE["NUM_OBS"], sizes=sizes
    ).eval()


def inputs():
    return [torch.from_numpy(value) for value in MAKE["inputs"]().values()]


@pytest.mark.parametrize("variant", MAKE["VARIANTS"])
class TestGolden:
    def test_it_tells_what_the_reference_tells(self, variant):
        model = made(is_causal=MAKE["VARIANTS"][variant])
        with np.load(GOLDEN / "diffusion_transformer.npz") as answers:
            names, told = answers[f"{variant}.names"], answers[f"{variant}.told"]
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        weights = {
            name: torch.from_numpy(MAKE["drawn"](name, shapes[name])) for name in names if name not in NOT_LEARNED
        }
        model.load_state_dict(weights, strict=True)
        with torch.no_grad():
            np.testing.assert_allclose(model(*inputs()).numpy(), told, atol=1e-5)

    def test_the_same_weights_decay(self, variant):
        model = made()
        decayed = {id(value) for value in model.decay_groups()[0]}
        with np.load(GOLDEN / "diffusion_transformer.npz") as answers:
            wanted = answers[f"{variant}.decayed"].tolist()
        assert [name for name, value in model.named_parameters() if id(value) in decayed] == wanted
        assert sum(map(len, model.decay_groups())) == len(list(model.parameters()))


class TestTime:
    def test_equal_times_of_all_actions_are_the_common_time(self):
        model, (x, time, tokens) = made(), inputs()
        each = time[:, None].expand(-1, x.shape[1])
        torch.testing.assert_close(model(x, each, tokens), model(x, time, tokens), atol=1e-6, rtol=1e-5)

    def test_an_action_reads_its_own_time(self):
        model, (x, time, tokens) = made(), inputs()
        each = time[:, None].repeat(1, x.shape[1])
        before = model(x, each, tokens)
        each[:, 3] += 20
        is_changed = (model(x, each, tokens) != before).any(-1).any(0)
        assert is_changed.tolist() == [False] * 3 + [True] * 3

    def test_the_time_may_be_a_fraction(self):
        model, (x, _, tokens) = made(), inputs()
        early, late = (model(x, torch.full((len(x),), time), tokens) for time in (0.25, 0.75))
        assert not torch.allclose(early, late)


class TestWhatIsRead:
    @pytest.mark.parametrize(("is_causal", "wanted"), [(True, [False, False, True, True]), (False, [True] * 4)])
    def test_actions_read_actions_up_to_their_own(self, is_causal, wanted):
        model, (x, time, tokens) = made(is_causal=is_causal), inputs()
        before = model(x, time, tokens)
        x = x.clone()
        x[:, 2] += 1
        assert (model(x, time, tokens) != before).any(-1).any(0)[:4].tolist() == wanted

    @pytest.mark.parametrize(("is_causal", "wanted"), [(True, [False, True, True]), (False, [True] * 3)])
    def test_actions_read_what_was_seen_up_to_their_own_time(self, is_causal, wanted):
        model, (x, time, tokens) = made(is_causal=is_causal), inputs()
        before = model(x, time, tokens)
        tokens = tokens.clone()
        tokens[:, 1] += 1
        assert (model(x, time, tokens) != before).any(-1).any(0)[:3].tolist() == wanted

    def test_several_tokens_may_tell_of_one_time(self):
        sizes = Sizes(dim=16, num_layers=1, num_heads=2, tokens_per_time=2)
        model = DiffusionTransformer(7, 5, horizon=6, num_tokens=4, sizes=sizes).eval()
        (x, time, _), tokens = inputs(), torch.randn(4, 4, 5)
        before = model(x, time, tokens)
        tokens[:, 1] += 1
        assert (model(x, time, tokens) != before).any(-1).any(0).all()


def test_what_is_remembered_gives_the_same():
    model, (x, time, tokens) = made(), inputs()
    memory = model.remember(tokens)
    assert torch.equal(model.denoise(x, time, memory), model(x, time, tokens))


def test_a_shorter_chunk_may_be_made():
    model, (x, time, tokens) = made(), inputs()
    torch.testing.assert_close(model(x[:, :4], time, tokens), model(x, time, tokens)[:, :4])
