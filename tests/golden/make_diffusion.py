"""Make `diffusion.npz`: what LeRobot's Diffusion Policy gives for made-up weights, and what diffusers' schedulers do.

Run it where LeRobot and diffusers are installed: `python tests/golden/make_diffusion.py`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from policy_facts import described, drawn, weight

GOLDEN = Path(__file__).with_name("diffusion.npz")

SHARED = {"horizon": 8, "n_action_steps": 4, "down_dims": (16, 32), "n_groups": 4, "diffusion_step_embed_dim": 16,
          "spatial_softmax_num_keypoints": 6, "num_train_timesteps": 20}  # fmt: skip
VARIANTS = {
    "published": SHARED | {"crop_shape": (56, 72)},
    "ddim": SHARED | {"noise_scheduler_type": "DDIM", "num_inference_steps": 5, "prediction_type": "sample",
                      "resize_shape": (48, 64), "beta_schedule": "linear", "clip_sample": False},
    "separate": SHARED | {"use_separate_rgb_encoder_per_camera": True, "use_film_scale_modulation": False,
                          "use_group_norm": False, "n_obs_steps": 3},
}  # fmt: skip
CAMERAS = ("observation.images.front", "observation.images.wrist")
STATE, ACTION, SIZE, BATCH = 5, 7, (64, 80), 2
NOISY = (2, 8, 3)
LAWS, TOLD, CLIPPED = ("squaredcos_cap_v2", "linear", "scaled_linear"), ("epsilon", "sample", "v_prediction"), (1, 0)
STEPS, SPACINGS = (50, 10, 16), ("leading", "trailing")


def batch(num_obs: int) -> dict[str, np.ndarray]:
    """Draw the inputs: normalised states and pictures, and a chunk."""
    pictures = {key: drawn(key, (BATCH, num_obs, 3, *SIZE)) for key in CAMERAS}
    state, action = drawn("state", (BATCH, num_obs, STATE)), drawn("action", (BATCH, SHARED["horizon"], ACTION))
    is_pad = np.zeros((BATCH, SHARED["horizon"]), bool)
    return pictures | {"observation.state": state, "action": action, "action_is_pad": is_pad}


def schedules() -> list[tuple[str, str, int, str, str, int]]:
    """List what the schedulers are tried with: one law with everything, the others with a few things."""
    samplers = ("DDPM", "DDIM")
    others = product(LAWS[1:], TOLD[:1], CLIPPED[:1], SPACINGS[:1], samplers, STEPS[1:])
    return [*product(LAWS[:1], TOLD, CLIPPED, SPACINGS, samplers, STEPS), *others]


def told(values, step):
    """Stand in for a network."""
    return (1.3 * values + step.reshape(-1, 1, 1) / 70 - 0.4).tanh()


def _policies(answers: dict[str, np.ndarray]) -> None:
    import torch
    from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionModel

    for name, values in VARIANTS.items():
        config = DiffusionConfig(**values, **described(CAMERAS, SIZE, STATE, ACTION))
        model = DiffusionModel(config)
        inputs = {key: torch.from_numpy(value) for key, value in batch(config.n_obs_steps).items()}
        inputs["observation.images"] = torch.stack([inputs[key] for key in CAMERAS], 2)
        with torch.no_grad():
            for key, value in model.state_dict().items():
                if value.is_floating_point() and not key.endswith("pos_grid"):
                    value.copy_(torch.from_numpy(weight(key, tuple(value.shape))))
            answers[f"{name}.names"] = np.array(sorted(model.state_dict()))
            noise = torch.from_numpy(drawn("noise", (BATCH, config.horizon, ACTION)))
            torch.manual_seed(0)
            answers[f"{name}.act"] = model.eval().generate_actions(inputs, noise=noise).numpy()
            torch.manual_seed(0)
            answers[f"{name}.loss"] = model.compute_loss(inputs).numpy()


def _schedulers(answers: dict[str, np.ndarray]) -> None:
    import torch
    from diffusers import DDIMScheduler, DDPMScheduler

    for law, kind, is_clipped, spacing, sampler, num_steps in schedules():
        scheduler = {"DDPM": DDPMScheduler, "DDIM": DDIMScheduler}[sampler](
            num_train_timesteps=100, beta_start=1e-4, beta_end=0.02, beta_schedule=law, clip_sample=bool(is_clipped),
            clip_sample_range=1.0, prediction_type=kind, timestep_spacing=spacing,
        )  # fmt: skip
        scheduler.set_timesteps(num_steps)
        values = torch.from_numpy(drawn("noisy", NOISY))
        torch.manual_seed(0)
        for step in scheduler.timesteps:
            values = scheduler.step(told(values, step.expand(NOISY[0])), step, values).prev_sample
        answers[f"{law}.{kind}.{is_clipped}.{spacing}.{sampler}.{num_steps}"] = values.numpy()


def main() -> None:
    """Ask LeRobot and diffusers."""
    answers: dict[str, np.ndarray] = {}
    _policies(answers)
    _schedulers(answers)
    np.savez_compressed(GOLDEN, **answers)


if __name__ == "__main__":
    main()
