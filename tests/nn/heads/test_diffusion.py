"""Adding noise and taking it away, by hand and against diffusers' own answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from etude.nn.heads.diffusion import Diffusion
from etude.nn.heads.integrate import integrate
from etude.nn.heads.rtc import Guidance, Inpainting, OldChunk


def test_a_linear_law_by_hand():
    kept = Diffusion(num_steps=3, law="linear", beta_start=0.1, beta_end=0.3).kept
    torch.testing.assert_close(kept, torch.tensor([0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7]))


def test_the_cosine_law_ends_in_noise():
    kept = Diffusion(num_steps=100).kept
    assert kept[0] > 0.999
    assert kept[-1] < 1e-4
    assert (kept.diff() < 0).all()


def test_noise_is_added_step_by_step():
    law = Diffusion(num_steps=3, law="linear", beta_start=0.36, beta_end=0.36)
    clean, noise = torch.ones(2, 1, 1), torch.full((2, 1, 1), 2.0)
    noisy = law.add(clean, noise, torch.tensor([0, 1]))
    kept = [0.64, 0.64**2]
    torch.testing.assert_close(noisy.flatten(), torch.tensor([k**0.5 + 2 * (1 - k) ** 0.5 for k in kept]))


@pytest.mark.parametrize("predicts", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("sampler", ["DDPM", "DDIM"])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_a_network_that_knows_leads_to_the_clean_values(predicts, sampler, spacing):
    # Laws that keep nothing at the noisiest step would divide by nothing.
    law = Diffusion(num_steps=50, predicts=predicts, spacing=spacing, law="linear", beta_end=0.2)
    clean = torch.rand(3, 4, 2) * 2 - 1

    def denoise(values, step):
        share = law.kept[step]
        noise = (values - share.sqrt() * clean) / (1 - share).sqrt()
        return law.target(clean, noise, torch.full((3,), step))

    made = law.sample(denoise, torch.randn(3, 4, 2), num_steps=10, sampler=sampler)
    torch.testing.assert_close(made, clean, atol=1e-4, rtol=1e-4)


def test_fresh_noise_may_be_given_in_the_place_of_what_is_drawn():
    law, start = Diffusion(num_steps=8), torch.randn(2, 4, 3)
    torch.manual_seed(1)
    drawn = law.sample(lambda values, step: values / (step + 2), start)
    torch.manual_seed(1)
    fresh = [torch.randn(2, 4, 3) for _ in range(7)]
    torch.manual_seed(2)
    torch.testing.assert_close(law.sample(lambda values, step: values / (step + 2), start, fresh=fresh), drawn)


@pytest.mark.parametrize(("spacing", "wanted"), [("leading", [75, 50, 25, 0]), ("trailing", [99, 74, 49, 24])])
def test_few_steps_are_spread(spacing, wanted):
    law = Diffusion(num_steps=100, spacing=spacing)
    asked = []
    law.sample(lambda values, step: asked.append(step) or values, torch.zeros(1, 1, 1), num_steps=4)
    assert asked == law.steps(4) == wanted


def test_the_velocity_by_hand():
    law = Diffusion(num_steps=1, law="linear", beta_start=0.36, beta_end=0.36, predicts="v_prediction")
    clean, noise = torch.ones(1, 1, 1), torch.full((1, 1, 1), 2.0)
    assert law.target(clean, noise, torch.tensor([0])).item() == pytest.approx(0.8 * 2 - 0.6 * 1)


def test_every_sampler_is_diffusers(golden_module):
    make = vars(golden_module("make_diffusion"))
    with np.load(make["GOLDEN"]) as stored:
        answers = dict(stored)
    for law, predicts, is_clipped, spacing, sampler, num_steps in make["schedules"]():
        torch.manual_seed(0)
        made = Diffusion(law=law, predicts=predicts, clip=1.0 if is_clipped else None, spacing=spacing).sample(
            lambda values, step: make["told"](values, torch.full((len(values),), step)),
            torch.from_numpy(make["drawn"]("noisy", make["NOISY"])),
            num_steps=num_steps,
            sampler=sampler,
        )
        wanted = answers[f"{law}.{predicts}.{is_clipped}.{spacing}.{sampler}.{num_steps}"]
        np.testing.assert_allclose(made.numpy(), wanted, atol=1e-6, rtol=1e-6)


class TestGuided:
    """Going on from an old chunk; noisy values of diffusion are those of a straight flow, made larger."""

    @staticmethod
    def old(left, delay, schedule="LINEAR"):
        return OldChunk.of(left, torch.full((len(left),), delay), total=6, schedule=schedule)

    @staticmethod
    def bent(predicts):
        """A stand-in for a network."""

        def denoise(values, step):
            told = (values + 0.3 * values.flip(1)).sin()
            return 0.5 * told if predicts == "sample" else told

        return denoise

    @pytest.mark.parametrize("predicts", ["epsilon", "sample", "v_prediction"])
    @pytest.mark.parametrize("sampler", ["DDPM", "DDIM"])
    def test_inpainting_ends_in_the_old_chunk_and_guidance_near_it(self, predicts, sampler):
        torch.manual_seed(0)
        law, left, noise = Diffusion(num_steps=50, predicts=predicts), torch.rand(8, 4, 2) - 0.5, torch.randn(8, 6, 2)

        def made(guide):
            torch.manual_seed(1)
            return law.sample(self.bent(predicts), noise, num_steps=10, sampler=sampler, guide=guide)

        plain, old = made(None), self.old(left, 4)
        torch.testing.assert_close(made(Inpainting(old=old))[:, :4], left, atol=1e-4, rtol=1e-4)
        off, plainly_off = ((chunk[:, :4] - left).abs().mean() for chunk in (made(Guidance(old=old)), plain))
        assert off < 0.3 * plainly_off
        torch.testing.assert_close(made(Guidance(old=self.old(left, 0, "ZEROS"))), plain, atol=1e-5, rtol=1e-4)

    @pytest.mark.parametrize("jacobian", ["identity", "full"])
    def test_ddim_is_the_flow_that_it_is_when_it_is_shrunk(self, jacobian):
        law, noise = Diffusion(num_steps=50, predicts="sample", clip=None), torch.randn(2, 6, 2)
        guide = Guidance(old=self.old(torch.rand(2, 4, 2), 2), jacobian=jacobian)
        roots = [(kept.sqrt().item(), (1 - kept).sqrt().item()) for kept in law.kept]
        steps = law.steps(10)

        def velocity(values, time):  # shrunk values are (1 - t) clean + t noise, and change by noise - clean
            root, lost = min(roots, key=lambda pair: abs(pair[1] / sum(pair) - time.item()))
            noisy = values * (root + lost)
            clean = self.bent("sample")(noisy, 0)
            return (noisy - root * clean) / lost - clean

        grid = [roots[step][1] / sum(roots[step]) for step in steps] + [0.0]
        first = sum(roots[steps[0]])
        with torch.no_grad():
            flown = integrate(lambda values, time: velocity(values, time[:1]), noise / first, grid, guide=guide)
            made = law.sample(self.bent("sample"), noise, num_steps=10, sampler="DDIM", guide=guide)
        torch.testing.assert_close(made, flown, atol=2e-4, rtol=2e-4)
